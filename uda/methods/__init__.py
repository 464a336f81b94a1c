"""One file per method; `METHODS` finds them by name."""

from uda.methods.adabn import AdaBn
from uda.methods.adda import Adda
from uda.methods.afn import Afn
from uda.methods.alda import Alda
from uda.methods.base import Method, TaskShape
from uda.methods.bnm import Bnm
from uda.methods.cdan import Cdan
from uda.methods.cogan import Cogan
from uda.methods.coral import Coral
from uda.methods.cycada import Cycada
from uda.methods.dan import Dan
from uda.methods.dann import Dann
from uda.methods.deepcoral import DeepCoral
from uda.methods.deepjdot import DeepJdot
from uda.methods.dirt_t import DirtT
from uda.methods.drcn import Drcn
from uda.methods.fixmatch import FixMatch
from uda.methods.gta import Gta
from uda.methods.information_maximisation import InformationMaximisation
from uda.methods.jan import Jan
from uda.methods.mcc import Mcc
from uda.methods.mcd import Mcd
from uda.methods.ot_mapping import OtMapping
from uda.methods.sa import Sa
from uda.methods.self_ensembling import SelfEnsembling
from uda.methods.shot import Shot
from uda.methods.supervised import SourceOnly, TargetOnly
from uda.methods.swd import Swd
from uda.methods.tca import Tca
from uda.methods.unit import UnitMethod
from uda.methods.vada import Vada

METHODS: dict[str, type[Method]] = {
    method.name: method
    for method in (
        SourceOnly,
        # shallow
        Sa,
        Coral,
        Tca,
        OtMapping,
        # discrepancy
        Dan,
        Jan,
        DeepCoral,
        Swd,
        DeepJdot,
        Afn,
        AdaBn,
        # adversarial
        Dann,
        Cdan,
        Adda,
        Mcd,
        Alda,
        Vada,
        DirtT,
        # generative
        Cogan,
        UnitMethod,
        Drcn,
        Cycada,
        Gta,
        # self-training
        Mcc,
        Bnm,
        InformationMaximisation,
        SelfEnsembling,
        FixMatch,
        # source-free
        Shot,
        TargetOnly,
    )
}

__all__ = ["METHODS", "Method", "TaskShape", "only_at_end"]


def only_at_end(name: str) -> bool:
    """Whether the last step makes a method; False for one that this version of the package does not have."""
    return name in METHODS and METHODS[name].only_at_end

"""One file per method; `METHODS` finds them by name."""

from uda.methods.adda import Adda
from uda.methods.alda import Alda
from uda.methods.base import Method, TaskShape
from uda.methods.cdan import Cdan
from uda.methods.dann import Dann
from uda.methods.dirt_t import DirtT
from uda.methods.mcd import Mcd
from uda.methods.supervised import SourceOnly, TargetOnly
from uda.methods.unit import UnitMethod
from uda.methods.vada import Vada

METHODS: dict[str, type[Method]] = {
    method.name: method
    for method in (
        SourceOnly,
        # adversarial
        Dann,
        Cdan,
        Adda,
        Mcd,
        Alda,
        Vada,
        DirtT,
        # generative
        UnitMethod,
        TargetOnly,
    )
}

__all__ = ["METHODS", "Method", "TaskShape"]

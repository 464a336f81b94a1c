"""OT: each source point moves to where an optimal transport plan takes it among the target's points.

N. Courty, R. Flamary, D. Tuia, A. Rakotomamonjy, "Optimal Transport for Domain Adaptation", TPAMI 39 (2017).

Plans are those of POT's `ot.da`: with an entropy; with the paper's class regularisation besides, which keeps a target
point from mass of several classes (its l_p l_1 form, p = 1/2); or exact. What differs from the paper:
squared distances are divided by their median, so that a weight means the same on any features; source images that are
not in the sample move as their nearest neighbour in it does, as in the paper; a
logistic regression takes the place of nearest neighbour and SVM. The weights are settings, not chosen by target labels.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from uda.errors import unknown
from uda.methods.ranges import Positive
from uda.methods.shallow import PIXELS, Array, Shallow, ShallowConfig, library

PLANS = ("sinkhorn", "exact", "class")


@dataclass(frozen=True)
class OtConfig(ShallowConfig):
    """Settings of OT.

    Attributes
    ----------
    plan
        ``"sinkhorn"``, with an entropy; ``"class"``, with class regularisation besides; or ``"exact"``.
    entropy
        Weight of the entropy, as a multiple of the median cost; ``"exact"`` does not read it.
    class_weight
        Weight of the class regularisation, likewise; ``"class"`` alone reads it.
    """

    plan: str = "sinkhorn"
    entropy: Positive = 0.05
    class_weight: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.plan not in PLANS:
            raise unknown("plan", self.plan, PLANS)


class OtMapping(Shallow, name="ot", config=OtConfig):
    """The source's features, transported onto the target's."""

    summary = "source features moved onto the target's by optimal transport, and a linear classifier"
    paper = "Courty et al.: Optimal Transport for Domain Adaptation, TPAMI 2017"
    needs = "the extra shallow (POT); a source stage before the fit, or pixels"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "default": {},
        "exact": {"plan": "exact"},
        "class": {"plan": "class", "samples": 1000},  # its time and memory grow with the number of classes too
        "pixels": PIXELS,
    }

    LIBRARY = ("ot.da", "POT")
    KEPT = ("anchors", "displacements")

    def align(self, source: Array, target: Array, labels: NDArray[np.int64]) -> dict[str, Array]:
        """Find the plan, and how far its barycentric map takes each source point."""
        transport = self._transport()
        with warnings.catch_warnings():  # a plan whose margins are nearly right will do: its rows are normalised
            warnings.filterwarnings("ignore", "Sinkhorn did not converge")
            transport.fit(Xs=source, ys=labels, Xt=target)
        return {"anchors": source, "displacements": transport.transform(Xs=source) - source}

    def mapped(self, points: Tensor, *, source: bool) -> Tensor:
        """Move source points as the nearest of the sample moves; the target's stay."""
        if not source:
            return points
        nearest = torch.cdist(points, self.fitted["anchors"]).argmin(1)
        return points + self.fitted["displacements"][nearest]

    def _transport(self) -> Any:
        da, config = library(*self.LIBRARY), self.config
        if config.plan == "exact":
            return da.EMDTransport(norm="median", max_iter=10_000_000)
        if config.plan == "class":
            return da.SinkhornLpl1Transport(reg_e=config.entropy, reg_cl=config.class_weight, norm="median")
        return da.SinkhornTransport(
            reg_e=config.entropy, norm="median", method="sinkhorn", out_of_sample_map="ferradans"
        )

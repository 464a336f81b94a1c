"""CORAL: source features are whitened, and coloured with the covariance of the target.

B. Sun, J. Feng, K. Saenko, "Return of Frustratingly Easy Domain Adaptation", AAAI 2016, algorithm 1.

The map is skada's `CORALAdapter`. What differs from the paper: each domain is centred on its own mean; each covariance
is that of features divided by their deviations, shrunk by Ledoit and Wolf's estimate and multiplied by the deviations
again, which draws it towards the diagonal of the variances, where the paper divides too, adds the identity and leaves
it at that; a logistic regression takes the place of the SVM; covariances come from a sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from uda.methods.ranges import Range
from uda.methods.shallow import Array, Shallow, ShallowConfig, domain_marks, library


@dataclass(frozen=True)
class CoralConfig(ShallowConfig):
    """Settings of CORAL.

    Attributes
    ----------
    reg
        Share of each covariance that is replaced by the mean variance of all features times the identity, from 0 to 1.
        None: Ledoit and Wolf's estimate of that share, applied to features in units of their own deviations, so that
        the diagonal of the variances takes that place.
    """

    reg: Annotated[float | None, Range(high=1)] = None


class Coral(Shallow, name="coral", config=CoralConfig):
    """The source's features, given the target's covariance."""

    summary = "source features whitened and given the target's covariance, and a linear classifier"
    paper = "Sun, Feng, Saenko: Return of Frustratingly Easy Domain Adaptation, AAAI 2016"
    needs = "the extra shallow (skada); a source stage before the fit, or pixels"

    LIBRARY = ("skada", "skada")
    KEPT = ("source_mean", "target_mean", "source_map")

    def align(self, source: Array, target: Array, labels: NDArray[np.int64]) -> dict[str, Array]:
        """Find the map C_S^(-1/2) C_T^(1/2)."""
        reg = "auto" if self.config.reg is None else self.config.reg
        adapter = library(*self.LIBRARY).CORALAdapter(reg)
        points, marks = domain_marks(source, target)
        with np.errstate(all="ignore"):  # a covariance without inverse: what is not finite is refused later
            adapter.fit(points, sample_domain=marks)
            source_map = adapter.cov_source_inv_sqrt_ @ adapter.cov_target_sqrt_
        return {"source_mean": adapter.mean_source_, "target_mean": adapter.mean_target_, "source_map": source_map}

    def mapped(self, points: Tensor, *, source: bool) -> Tensor:
        """Centre points on their domain's mean, and map those of the source."""
        if source:
            return (points - self.fitted["source_mean"]) @ self.fitted["source_map"]
        return points - self.fitted["target_mean"]

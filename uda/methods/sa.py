"""SA: the principal axes of the source are turned onto those of the target.

B. Fernando, A. Habrard, M. Sebban, T. Tuytelaars, "Unsupervised Visual Domain Adaptation Using Subspace Alignment",
ICCV 2013, algorithm 1; the baseline of that name in the tables of UNIT.

The map is skada's `SubspaceAlignmentAdapter`. What differs from the paper: points are centred but not divided by their
deviations; a logistic regression takes the place of nearest neighbour and SVM; the dimension is a setting, not chosen
by cross-validation; both subspaces come from a sample of each domain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from uda.methods.ranges import Count
from uda.methods.shallow import Array, Shallow, ShallowConfig, domain_marks, library


@dataclass(frozen=True)
class SaConfig(ShallowConfig):
    """Settings of SA.

    Attributes
    ----------
    components
        Dimension of both subspaces, the paper's d; fewer where images or features are fewer.
    """

    components: Count = 50


class Sa(Shallow, name="sa", config=SaConfig):
    """Each domain in the coordinates of its own principal axes, the source's aligned with the target's."""

    summary = "principal axes of source features aligned with the target's, and a linear classifier"
    paper = "Fernando et al.: Unsupervised Visual Domain Adaptation Using Subspace Alignment, ICCV 2013"
    needs = "the extra shallow (skada); a source stage before the fit, or pixels"

    LIBRARY = ("skada", "skada")
    KEPT = ("source_mean", "target_mean", "source_map", "target_map")

    def align(self, source: Array, target: Array, labels: NDArray[np.int64]) -> dict[str, Array]:
        """Find the axes X_S and X_T of both domains, and M = X_S' X_T, which brings the first nearest to the second."""
        components = min(self.config.components, len(source), len(target), source.shape[1])
        adapter = library(*self.LIBRARY).SubspaceAlignmentAdapter(components, random_state=0)
        points, marks = domain_marks(source, target)
        adapter.fit(points, sample_domain=marks)
        return {
            "source_mean": adapter.pca_source_.mean_,
            "target_mean": adapter.pca_target_.mean_,
            "source_map": adapter.pca_source_.components_.T @ adapter.M_,
            "target_map": adapter.pca_target_.components_.T,
        }

    def mapped(self, points: Tensor, *, source: bool) -> Tensor:
        """Map source points by X_S M and target points by X_T, algorithm 1."""
        domain = "source" if source else "target"
        return (points - self.fitted[f"{domain}_mean"]) @ self.fitted[f"{domain}_map"]

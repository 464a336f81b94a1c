"""TCA: the directions, in a kernel's feature space, along which both domains vary but their means do not differ.

S. J. Pan, I. W. Tsang, J. T. Kwok, Q. Yang, "Domain Adaptation via Transfer Component Analysis", IEEE Transactions on
Neural Networks 22 (2011): its unsupervised TCA.

The eigenproblem is solved here, not by skada: its `TransferComponentAnalysisAdapter` hands the matrix
(K L K + mu I)^-1 K H K, which is not symmetric, to a solver for symmetric matrices that reads its lower triangle alone,
so that what comes out are no eigenvectors of it. The generalised problem K H K w = lambda (K L K + mu I) w has the same
solutions, and both its matrices are symmetric.

What differs from the paper: the kernel is a Gaussian whose variance is the median squared distance between points; a
logistic regression takes the place of least squares; components come from a sample of each domain, and other images are
mapped by their kernels with it. Components are scaled by the denominator of that problem, as its solver leaves them,
where the paper's constraint scales them by the numerator: the classifier's penalty weighs them otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.spatial.distance import pdist, squareform
from torch import Tensor

from uda.methods.ranges import Count, Positive, Range
from uda.methods.shallow import TINY, Array, Shallow, ShallowConfig


@dataclass(frozen=True)
class TcaConfig(ShallowConfig):
    """Settings of TCA.

    Attributes
    ----------
    samples
        As for other shallow methods; fewer by default, as the time grows with its cube.
    components
        Transfer components, the paper's m; fewer where there are fewer images.
    mu
        What the squared length of the components' weights adds to the distance between the domains' means.
    """

    samples: Annotated[int, Range(low=2)] = 1000
    components: Count = 50
    mu: Positive = 1.0


class Tca(Shallow, name="tca", config=TcaConfig):
    """The transfer components of features of either domain."""

    summary = "kernel components that vary but whose means agree between domains, and a linear classifier"
    paper = "Pan et al.: Domain Adaptation via Transfer Component Analysis, IEEE TNN 2011"
    needs = "a source stage before the fit, or pixels"

    KEPT = ("anchors", "weights", "inverse_width")

    def align(self, source: Array, target: Array, labels: NDArray[np.int64]) -> dict[str, Array]:
        """Find the components over the points of both domains."""
        anchors = np.concatenate([source, target])
        distances = pdist(anchors, "sqeuclidean")
        inverse_width = 0.5 / max(float(np.median(distances)), TINY)
        kernel = np.exp(-inverse_width * squareform(distances))
        weights = transfer_components(kernel, len(source), self.config.components, self.config.mu)
        return {"anchors": anchors, "weights": weights, "inverse_width": np.array([inverse_width])}

    def mapped(self, points: Tensor, *, source: bool) -> Tensor:
        """Return the components of points of either domain, their kernels with the sample times its weights."""
        distances = torch.cdist(points, self.fitted["anchors"]).square()
        return torch.exp(-self.fitted["inverse_width"] * distances) @ self.fitted["weights"]


def transfer_components(kernel: Array, count: int, components: int, mu: float) -> Array:
    """Return the weights W of the transfer components: they minimise tr(W' (K L K + mu I) W) where W' K H K W is set.

    Parameters
    ----------
    kernel
        (N, N), of all pairs of points.
    count
        How many of them, the first, are the source's.
    components
        How many there should be; at most N - 1, as centred points vary in no more directions.
    mu
        Weight of W's squared entries.

    Returns
    -------
    array
        (N, D), by falling variance: W' (K L K + mu I) W is the identity, W' K H K W the diagonal of eigenvalues.
    """
    n = len(kernel)
    membership = np.where(np.arange(n) < count, 1 / count, -1 / (n - count))
    gap = kernel @ membership  # K L K is its outer product, as L is that of the membership
    centred = kernel - kernel.mean(0)
    first = max(0, n - min(components, n - 1))
    _, weights = eigh(
        centred.T @ centred, np.outer(gap, gap) + mu * np.eye(n), subset_by_index=(first, n - 1), driver="gvx"
    )
    found: Array = np.ascontiguousarray(weights[:, ::-1])
    return found

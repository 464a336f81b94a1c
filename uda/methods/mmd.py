"""The maximum mean discrepancy with several Gaussian kernels: how far apart two sets of points lie on average.

A. Gretton, K. Borgwardt, M. Rasch, B. Schölkopf, A. Smola, "A Kernel Two-Sample Test", JMLR 13 (2012).
"""

from __future__ import annotations

import torch
from torch import Tensor

from uda.methods.distances import squared_distances

#: The kernels' bandwidths, as multiples of a typical squared distance; each is half the one before.
BANDWIDTHS = (4.0, 2.0, 1.0, 0.5, 0.25)


def gaussian_kernels(distances: Tensor, typical: Tensor | float) -> Tensor:
    """Return the mean of the Gaussian kernels exp(-d / b) of all bandwidths b.

    Parameters
    ----------
    distances
        Squared distances d, of any shape.
    typical
        The squared distance, above 0, of which the bandwidths are `BANDWIDTHS` times as much.

    Returns
    -------
    Tensor
        Of the same shape, from 0, far apart, to 1, in one place.
    """
    kernel = torch.exp(distances / (-BANDWIDTHS[0] * typical))
    total = kernel
    for _ in BANDWIDTHS[1:]:
        kernel = kernel.square()  # that of half the bandwidth
        total = total + kernel
    return total / len(BANDWIDTHS)


def kernel_matrix(points: Tensor) -> Tensor:
    """Return the kernels of all pairs of points, which are typically as far apart as they are in the mean.

    Parameters
    ----------
    points
        (N, F), of both domains. No gradient reaches the bandwidths.

    Returns
    -------
    Tensor
        (N, N), in fp32; 1 everywhere where all points coincide.
    """
    distances = squared_distances(points, points)
    count = len(points)
    mean = distances.detach().sum() / (count * (count - 1))
    return gaussian_kernels(distances, mean + torch.finfo(mean.dtype).tiny)


def mean_discrepancy(kernels: Tensor, count: int) -> Tensor:
    """Return the squared distance between the mean embeddings of two sets of points, its unbiased estimate.

    A pair of a point with itself does not count. Where it does, the estimate of two sets that are alike is about 2/N,
    and it can be lowered further only by drawing the points of each set together: what is learned then.

    Parameters
    ----------
    kernels
        (N, N), of all pairs of points.
    count
        How many of them, the first, make the one set; the others make the other. At least 2 each.

    Returns
    -------
    Tensor
        Scalar; 0 in the mean over sets of one distribution, so that it may be negative.
    """
    within = mean_of_different(kernels[:count, :count]) + mean_of_different(kernels[count:, count:])
    return within - 2 * kernels[:count, count:].mean()


def mean_of_different(kernels: Tensor) -> Tensor:
    """Return the mean of (N, N) kernels over the pairs of different points."""
    return (kernels.sum() - kernels.trace()) / (len(kernels) * (len(kernels) - 1))

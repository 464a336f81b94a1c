"""A validator that asks how far apart the domains' features are."""

from __future__ import annotations

import torch
from torch import Tensor

from uda.methods.mmd import gaussian_kernels
from uda.metrics.validators.features import on_one_scale, squared_distances
from uda.metrics.validators.registry import validator

#: At most so many images of each domain are compared, for speed.
COMPARED = 1000
#: The median is that of so many images of each domain.
MEDIAN_OF = 250
#: The least value: kernels are between 0 and 1.
FARTHEST = -2.0


@validator("mmd")
def mean_discrepancy(source_train_features: Tensor, target_train_features: Tensor) -> float:
    """Negative squared maximum mean discrepancy between the domains' features (Gretton et al. 2012): near is better.

    The biased estimate, with `gaussian_kernels` whose bandwidths follow the median squared distance over both domains
    (Long et al. 2015), on the first `COMPARED` images of each.

    Parameters
    ----------
    source_train_features, target_train_features
        (N', F) and (N, F).

    Returns
    -------
    float
        Between -2 and 0. Features of which most coincide, so that the median is 0, have no scale: -2.
    """
    source, target = on_one_scale(source_train_features[:COMPARED], target_train_features[:COMPARED])
    few = torch.cat([source[:MEDIAN_OF], target[:MEDIAN_OF]])
    median = float(torch.pdist(few).square().median()) if len(few) > 1 else 0.0
    if median == 0:
        return FARTHEST
    within = _kernel_mean(source, source, median) + _kernel_mean(target, target, median)
    return min(0.0, 2 * _kernel_mean(source, target, median) - within)


def _kernel_mean(first: Tensor, second: Tensor, median: float) -> float:
    """Return the mean of the kernels over all pairs of (N, F) and (M, F) points."""
    return float(gaussian_kernels(squared_distances(first, second), median).mean(dtype=torch.float64))

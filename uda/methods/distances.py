"""Distances between the features of two sets of images."""

from __future__ import annotations

import torch
from torch import Tensor


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """Return the squared Euclidean distances between points, in fp32.

    Each is a sum of squared differences. The quicker way, by a matrix product, loses small distances between large
    features, the more so in TF32 or bf16.

    Parameters
    ----------
    first, second
        (N, F) and (M, F).

    Returns
    -------
    Tensor
        (N, M).
    """
    return torch.cdist(first.float(), second.float(), compute_mode="donot_use_mm_for_euclid_dist").square()

"""The nuclear norm, the sum of a matrix's singular values, without a decomposition that waits for the device.

A. Björck, C. Bowie, "An Iterative Algorithm for Computing the Best Estimate of an Orthogonal Matrix", SIAM Journal on
Numerical Analysis 8 (1971).
"""

from __future__ import annotations

import torch
from torch import Tensor

#: Steps of the iteration: singular values that are 1e-4 of the matrix's norm or more have converged.
STEPS = 30


def nuclear_norm(matrix: Tensor) -> Tensor:
    """Return the sum of a matrix's singular values.

    It is the largest inner product of the matrix with one that has no singular value above 1: with its polar factor,
    which is also its gradient. On a CUDA device a singular value decomposition would be checked by the host.

    Parameters
    ----------
    matrix
        (N, K), not all 0; cheap where K is small.

    Returns
    -------
    Tensor
        Scalar, in fp32.
    """
    wide = matrix.double()  # neither autocast nor TF32 rounds its products
    return (polar_factor(wide.detach()) * wide).sum().float()


def polar_factor(matrix: Tensor) -> Tensor:
    """Return U V' of a matrix U S V', (N, K): singular values that are not all but 0 become 1."""
    factor: Tensor = matrix / torch.linalg.vector_norm(matrix)
    for _ in range(STEPS):  # each singular value s becomes (3 s - s³) / 2
        factor = 1.5 * factor - 0.5 * factor @ (factor.T @ factor)
    return factor

"""Features made fit to be compared: scaled, and their distances."""

from __future__ import annotations

import torch
from torch import Tensor


def standardise(reference: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """Shift and scale features so that each has mean 0 and deviation 1 over a reference.

    Parameters
    ----------
    reference
        (N, F), finite; a feature that is constant in it is only shifted.
    others
        (M, F) each, brought to the same scale.

    Returns
    -------
    tuple of Tensor
        The reference and the others in float64.
    """
    mean = reference.double().mean(0)
    spread = (reference.double() - mean).square().mean(0).sqrt()
    # what is left of a constant feature after rounding is no deviation
    spread[spread <= 1e-7 * mean.abs()] = 1.0
    return tuple((features.double() - mean) / spread for features in (reference, *others))


def on_one_scale(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Shift both domains by their common mean and divide by the largest value: distances keep their ratios.

    Returns
    -------
    tuple of Tensor
        The source's and the target's features in float32, within [-1, 1], so that no square overflows and none loses
        its digits to a large mean.
    """
    both = torch.cat([source, target]).double()
    both = both - both.mean(0)
    both = both / both.abs().max().clamp(min=torch.finfo(torch.float64).tiny)
    return both[: len(source)].float(), both[len(source) :].float()


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """Return the (N, M) squared Euclidean distances between (N, F) and (M, F) points."""
    product = first @ second.T
    lengths = first.square().sum(1)[:, None] + second.square().sum(1)
    return product.mul_(-2).add_(lengths).clamp_(min=0)

"""Dropout that a CPU draws quickly."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

#: Values of a 16-bit number: what a rate is rounded to.
LEVELS = 1 << 16


def dropout(h: Tensor, rate: float, training: bool) -> Tensor:
    """Set values to 0 with probability ``rate`` in training, and scale the others so that the mean stays.

    Torch draws one number for each value, serially, on a CPU. Here one 64-bit number serves four values, so the rate
    is a multiple of 1/65536; on other devices this is `torch.nn.functional.dropout`.

    Parameters
    ----------
    h
        Of any shape, without gaps in memory.
    rate
        At least 0, below 1.
    training
        Whether anything is done.
    """
    if not training or rate == 0.0 or h.device.type != "cpu":
        return F.dropout(h, rate, training)
    drawn = torch.empty(-(-h.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
    bits = drawn.view(torch.int16)[: h.numel()].as_strided(h.shape, h.stride())
    kept = (bits >= round(rate * LEVELS) - LEVELS // 2).to(h.dtype)
    return h * (kept * (1.0 / (1.0 - rate)))

"""Dropout that a CPU draws quickly."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

#: Values of an 8-bit number: what a rate is rounded to.
LEVELS = 1 << 8


def dropout(h: Tensor, rate: float, training: bool) -> Tensor:
    """Set values to 0 with probability ``rate`` in training, and scale the others so that the mean stays.

    Torch draws one number for each value, serially, on a CPU. Here one 64-bit number serves eight values, so the rate
    is rounded to a multiple of 1/256; on other devices this is `torch.nn.functional.dropout`.

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
    levels = round(rate * LEVELS)
    drawn = torch.empty(-(-h.numel() // 8), dtype=torch.int64).random_(-(1 << 63), None)
    bits = drawn.view(torch.int8)[: h.numel()].as_strided(h.shape, h.stride())
    # compared in place: a comparison that gives truth values, and their conversion, take several times as long
    kept = bits.ge_(levels - LEVELS // 2).to(h.dtype)
    return h * kept.mul_(LEVELS / (LEVELS - levels))

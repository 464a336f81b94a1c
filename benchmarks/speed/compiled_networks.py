"""The networks of UNIT through `torch.compile`, forward function by forward function, so that small operators fuse."""

from __future__ import annotations

import torch

from uda.unit.core import UNIT


def compile_networks(core: UNIT) -> None:
    """Compile in place; the work is done at the first calls, once for each combination of shapes and domains."""
    for network, function in (
        (core.encoder, "forward"),
        (core.generator, "high"),
        (core.generator, "low"),
        (core.discriminator, "features"),
    ):
        setattr(network, function, torch.compile(getattr(network, function)))

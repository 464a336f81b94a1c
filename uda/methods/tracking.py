"""What reading images leaves of a network as it was: its running statistics, or its parameters."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def untracked(network: nn.Module) -> Iterator[None]:
    """Let a network read images in training mode, normalised by their own batch, without its statistics following."""
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    kept = [(norm.running_mean, norm.running_var, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.running_mean = norm.running_var = norm.num_batches_tracked = None
    try:
        yield
    finally:
        for norm, (mean, variance, count) in zip(norms, kept, strict=True):
            norm.running_mean, norm.running_var, norm.num_batches_tracked = mean, variance, count


def with_own_buffers(network: nn.Module) -> nn.Module:
    """Return a copy of a network that has the very parameters of it, and buffers of its own."""
    return copy.deepcopy(network, {id(p): p for p in network.parameters()})


@contextmanager
def held(*networks: nn.Module) -> Iterator[None]:
    """Let networks read images without their parameters being moved by what they say of them.

    Gradients go through the networks into what made the images.
    """
    moved = [p for network in networks for p in network.parameters() if p.requires_grad]
    for parameter in moved:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in moved:
            parameter.requires_grad_(True)

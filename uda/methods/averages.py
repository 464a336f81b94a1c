"""Averages of networks over their training, which are what is evaluated in the end."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Averages(nn.Module):
    """Copies of networks whose parameters are exponential moving averages; buffers are the networks' own.

    At first the average forgets faster, as the average of few steps must: its decay is (1 + t) / (10 + t) after t
    steps, until that is above what is set.

    Parameters
    ----------
    networks
        In the order in which they are given to `follow`.
    decay
        What stays of the average at each step, 0 to 1.
    """

    def __init__(self, networks: Sequence[nn.Module], decay: float) -> None:
        super().__init__()
        self.networks = nn.ModuleList(copy.deepcopy(network) for network in networks).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def follow(self, networks: Sequence[nn.Module], step: Tensor) -> None:
        """Move every parameter towards its network's; copy every buffer."""
        share = 1.0 - ((1 + step) / (10 + step)).clamp(max=self.decay)
        for ours, theirs in zip(self.networks, networks, strict=True):
            for average, parameter in zip(ours.parameters(), theirs.parameters(), strict=True):
                average.lerp_(parameter, share)
            for copied, buffer in zip(ours.buffers(), theirs.buffers(), strict=True):
                copied.copy_(buffer)

"""Averages of networks over their training, which are what is evaluated in the end."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from itertools import chain

import torch
from torch import Tensor, nn


class Averages(nn.Module):
    """Copies of networks whose parameters, and running statistics, are exponential moving averages.

    Running statistics follow the networks within some ten steps, averaged weights within hundreds: weights of then with
    statistics of now do not belong together wherever the networks move fast. At first the average forgets faster, as
    the average of few steps must: its decay is (1 + t) / (10 + t) after t steps, until that is above what is set.

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
        """Move every parameter and running statistic towards its network's; copy what is counted."""
        share = 1.0 - ((1 + step) / (10 + step)).clamp(max=self.decay)
        for ours, theirs in zip(self.networks, networks, strict=True):
            for average, now in zip(state(ours), state(theirs), strict=True):
                if now.is_floating_point():
                    average.lerp_(now, share)
                else:
                    average.copy_(now)


def state(network: nn.Module) -> Iterator[Tensor]:
    """Yield the parameters and buffers of a network."""
    return chain(network.parameters(), network.buffers())

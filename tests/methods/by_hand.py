"""How an update is compared with one made by hand where rounding would decide how far Adam moves a parameter."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim import Optimizer

from tests.methods.test_update import same_parameters


def same_move(ours: Iterable[nn.Module], by_hand: Iterable[nn.Module], optimiser: Optimizer) -> None:
    """Compare the gradients of networks that were moved with those of networks that are yet to be, then the move.

    Adam divides a gradient by its size, so one that is zero but for rounding, as in front of batch normalisation, moves
    its parameter by chance: gradients are compared on the scale of the largest, and the move is made with ours.
    """
    ours, by_hand = nn.ModuleList(ours), nn.ModuleList(by_hand)
    largest = max(float(p.grad.abs().max()) for p in by_hand.parameters() if p.grad is not None)
    for (name, a), b in zip(ours.named_parameters(), by_hand.parameters(), strict=True):
        if b.grad is not None:
            torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-5 * largest, msg=name)
            b.grad = None if a.grad is None else a.grad.clone()
    optimiser.step()
    same_parameters(ours, by_hand)

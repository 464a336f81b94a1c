"""How updates are compared: with one made by hand where rounding would decide Adam's move, and with those resumed."""

import copy
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.optim import Optimizer

from tests.methods.test_update import same_parameters
from uda.data.batches import Batches
from uda.methods import Method
from uda.training.updates import Updates


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


def resumes_in_the_same_bits(build: Callable[[], Method], batches_of: Callable[[], Batches], stop: int) -> None:
    """Train to the end, then again from what a checkpoint would hold after some steps; compare all that is saved."""
    whole = build()
    updates = Updates(whole, batches_of(), "fp32", 1)
    for step in range(whole.task.steps):
        if step == stop:
            model, optimisers = copy.deepcopy(
                (whole.state_dict(), {name: o.state_dict() for name, o in whole.optimisers.items()})
            )
        updates.make(step)
    resumed = build()
    resumed.load_state_dict(model)
    for name, optimiser in resumed.optimisers.items():
        optimiser.load_state_dict(optimisers[name])
    updates = Updates(resumed, batches_of(), "fp32", 1)
    for step in range(stop, resumed.task.steps):
        updates.make(step)
    assert all(torch.equal(a, whole.state_dict()[name]) for name, a in resumed.state_dict().items())

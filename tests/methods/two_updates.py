"""Two updates with one optimiser, made again by hand: gradients, parameters, buffers and terms compared."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tests.methods.test_update import TASK, adam, batch_of, same_parameters
from uda.data.batches import Batch
from uda.methods import METHODS

#: What is descended, and the terms that are reported: of a twin of the method, a batch and the step.
LossByHand = Callable[[Any, Batch, int], tuple[Tensor, dict[str, Tensor]]]

#: What is done with the twin behind the move, which has its parameters already.
After = Callable[[Any, Batch], None]

#: Of methods whose weight rises: not at all, and over more steps than are made.
RAMPS = (0.0, 0.8)


def risen(weight: float, ramp: float, step: int) -> float:
    """What the weight of what is learnt from one's own predictions has risen to at a step."""
    return weight * min(1.0, step / (ramp * TASK.steps)) if ramp else weight


def build(name: str, **settings: Any) -> Any:
    torch.manual_seed(1)
    return METHODS[name](METHODS[name].Config(**{"width": 2, "learning_rate": 0.01, **settings}), TASK)


def compare_updates(method: Any, loss_by_hand: LossByHand, after: After | None = None) -> None:
    twin = copy.deepcopy(method)
    optimiser = adam(twin.parameters(), method.config)
    for step in (4, 5):
        batch = batch_of(step)
        torch.manual_seed(step)
        loss, expected = loss_by_hand(twin, batch, step)
        gradients = torch.autograd.grad(loss, list(twin.parameters()))
        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        compare_terms(terms, expected)
        for (name, ours), gradient, theirs in zip(method.named_parameters(), gradients, twin.parameters(), strict=True):
            # in front of batch normalisation the gradient of a bias is zero but for rounding
            atol = 1e-3 * float(gradient.abs().max()) + 2e-6
            torch.testing.assert_close(ours.grad, gradient, rtol=1e-3, atol=atol, msg=name)
            # Adam divides by a gradient's size, so the rounding of tiny ones would decide: from here on it is shared
            theirs.grad = ours.grad
        optimiser.step()
        if after is not None:
            after(twin, batch)
        same_parameters(method, twin)


def compare_terms(terms: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert terms.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value.detach().float(), rtol=1e-4, atol=1e-5)
        assert not terms[name].requires_grad


def joint(twin: Any, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Features and logits of the source's 6 images and the target's 5, from one pass over all."""
    features = twin.backbone(torch.cat([batch.source_images, batch.target_images]))
    logits = twin.head(features)
    return features[:6], logits[:6], features[6:], logits[6:]

"""BNM: two updates made again by hand; the nuclear norm against a singular value decomposition, and in the extremes."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.methods.two_updates import RAMPS, build, compare_updates, joint, risen
from tests.peers import pytorch_adapt_layers
from uda.data.batches import Batch
from uda.methods.nuclear_norm import nuclear_norm

LOGITS = 2 * torch.randn(30, 5, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("ramp", RAMPS)
def test_updates_made_by_hand(ramp: float) -> None:
    def loss(twin: Any, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        _, z_s, _, z_t = joint(twin, batch)
        classification = F.cross_entropy(z_s, batch.source_labels)
        norm = torch.linalg.svdvals(F.softmax(z_t, 1).double()).sum() / 5
        return classification - risen(0.7, ramp, step) * norm, {"classification": classification, "nuclear_norm": norm}

    compare_updates(build("bnm", lambda_bnm=0.7, ramp=ramp), loss)


@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e2])
@pytest.mark.parametrize("shape", [(30, 5), (4, 9), (6, 6)])
def test_the_norm_and_its_gradient_are_those_of_the_decomposition(shape: tuple[int, int], scale: float) -> None:
    generator = torch.Generator().manual_seed(1)
    matrix = (scale * torch.randn(shape, generator=generator)).double().requires_grad_()
    ours, theirs = nuclear_norm(matrix), torch.linalg.svdvals(matrix).sum()
    torch.testing.assert_close(ours, theirs.float(), rtol=1e-6, atol=0)
    torch.testing.assert_close(torch.autograd.grad(ours, matrix), torch.autograd.grad(theirs, matrix))


def test_predictions_that_hardly_differ_have_the_norm_of_one_and_a_gradient_of_no_more() -> None:
    """The smallest singular values are rounding: the decomposition's own gradient would be theirs."""
    logits = LOGITS[:1].repeat(30, 1).requires_grad_()
    probabilities = F.softmax(logits, 1)
    norm = nuclear_norm(probabilities)
    torch.testing.assert_close(norm, torch.linalg.vector_norm(probabilities), rtol=1e-6, atol=0)
    (gradient,) = torch.autograd.grad(norm, logits)
    assert gradient.isfinite().all()
    assert float(gradient.abs().max()) < 1.0


def test_sure_and_diverse_predictions_have_the_largest_norm() -> None:
    even = F.one_hot(torch.arange(30) % 5, 5).float()
    assert float(nuclear_norm(even)) == pytest.approx((30 * 5) ** 0.5, rel=1e-6)
    uneven = F.one_hot(torch.arange(30).clamp(max=4), 5).float()
    assert float(nuclear_norm(uneven)) < float(nuclear_norm(even))
    assert float(nuclear_norm(F.softmax(LOGITS, 1))) < float(nuclear_norm(even))


def test_the_loss_is_pytorch_adapts() -> None:
    layers = pytorch_adapt_layers()
    with torch.autocast("cpu", torch.bfloat16):
        ours = -nuclear_norm(F.softmax(LOGITS, 1)) / 30
    torch.testing.assert_close(ours, layers.BNMLoss()(LOGITS))

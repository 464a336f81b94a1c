"""MCC: two updates made again by hand; the loss where it is known, and against pytorch-adapt."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.methods.two_updates import RAMPS, build, compare_updates, joint, risen
from tests.peers import pytorch_adapt_layers
from uda.data.batches import Batch
from uda.methods.mcc import class_confusion

LOGITS = 3 * torch.randn(9, 4, generator=torch.Generator().manual_seed(0))


def confusion_by_hand(logits: Tensor, temperature: float) -> Tensor:
    """The paper's sums, written out over images and classes."""
    p = F.softmax(logits.double() / temperature, 1)
    count, classes = p.shape
    certainty = [1 + math.exp(sum(q * math.log(q) for q in row)) for row in p.tolist()]
    weights = [count * c / sum(certainty) for c in certainty]
    correlation = [
        [torch.stack([weights[i] * p[i, j] * p[i, k] for i in range(count)]).sum() for k in range(classes)]
        for j in range(classes)
    ]
    rows = [torch.stack(row) for row in correlation]
    return torch.stack([1 - row[j] / row.sum() for j, row in enumerate(rows)]).mean()


@pytest.mark.parametrize("ramp", RAMPS)
def test_updates_made_by_hand(ramp: float) -> None:
    def loss(twin: Any, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        _, z_s, _, z_t = joint(twin, batch)
        classification = F.cross_entropy(z_s, batch.source_labels)
        confusion = confusion_by_hand(z_t, 0.4)
        return classification + risen(0.7, ramp, step) * confusion, {
            "classification": classification,
            "confusion": confusion,
        }

    compare_updates(build("mcc", temperature=0.4, lambda_confusion=0.7, ramp=ramp), loss)


def test_the_loss_is_pytorch_adapts() -> None:
    layers = pytorch_adapt_layers()
    torch.testing.assert_close(class_confusion(LOGITS, 2.5), layers.MCCLoss(T=2.5)(LOGITS))


def test_sure_predictions_confuse_nothing_and_unsure_ones_all_classes_alike() -> None:
    sure = 1000 * torch.eye(4)[[0, 1, 2, 3, 3]]
    assert float(class_confusion(sure, 2.5)) == pytest.approx(0, abs=1e-6)
    assert float(class_confusion(torch.zeros(5, 4), 2.5)) == pytest.approx(3 / 4, rel=1e-6)


def test_a_class_that_no_image_has_any_of_leaves_value_and_gradient_finite() -> None:
    logits = (1e5 * torch.eye(4)[[0, 1, 0, 1]]).requires_grad_()
    value = class_confusion(logits, 1.0)
    (gradient,) = torch.autograd.grad(value, logits)
    assert value.isfinite()
    assert gradient.isfinite().all()


def test_sure_images_count_more() -> None:
    """Of two images that are as sure, each counts 1; an unsure one beside a sure one counts less than it."""
    one_confuses = torch.tensor([[9.0, 0.0], [0.0, 0.0]])
    p = F.softmax(one_confuses.double(), 1)
    plain = p.T @ p
    unweighed = float((plain[0, 1] / plain[0].sum() + plain[1, 0] / plain[1].sum()) / 2)
    assert float(class_confusion(one_confuses, 1.0)) < unweighed - 0.01

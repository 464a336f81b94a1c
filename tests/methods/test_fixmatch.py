"""FixMatch: an update made again by hand, and what counts in its loss."""

import copy
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.methods.test_update import TASK, adam, batch_of, same_parameters
from uda.errors import UserError
from uda.methods.fixmatch import FixMatch, FixMatchConfig
from uda.methods.strong_augmentation import strongly_augment
from uda.methods.teacher import pseudo_label_loss


def build(**settings: Any) -> FixMatch:
    torch.manual_seed(1)
    return FixMatch(FixMatchConfig(**{"width": 2, "learning_rate": 0.001, **settings}), TASK)


@pytest.mark.parametrize("ramp", [0.0, 0.4])
def test_an_update_made_by_hand(ramp: float) -> None:
    threshold = 0.43
    method = build(lambda_unlabelled=0.7, threshold=threshold, ramp=ramp)
    networks = copy.deepcopy(nn.Sequential(method.backbone, method.head))
    optimiser = adam(networks.parameters(), method.config)
    for step in (0, 1, TASK.steps // 2):
        batch = batch_of(step)
        torch.manual_seed(step)
        assert batch.target_again is not None
        strong = strongly_augment(batch.target_again)
        logits = networks(torch.cat([batch.source_images, batch.target_images, strong]))
        classification = F.cross_entropy(logits[:6], batch.source_labels)
        probabilities = F.softmax(logits[6:11].detach(), 1)
        sure = [i for i in range(5) if probabilities[i].max() >= threshold]
        assert 0 < len(sure) < 5
        each = [-F.log_softmax(logits[11 + i], 0)[probabilities[i].argmax()] for i in sure]
        unlabelled = torch.stack(each).sum() / 5
        optimiser.zero_grad()
        weight = min(1.0, step / (ramp * TASK.steps)) if ramp else 1.0
        (classification + 0.7 * weight * unlabelled).backward()
        optimiser.step()

        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        assert terms.keys() == {"classification", "unlabelled", "sure"}
        torch.testing.assert_close(terms["classification"], classification.detach())
        torch.testing.assert_close(terms["unlabelled"], unlabelled.detach())
        assert float(terms["sure"]) == pytest.approx(len(sure) / 5)
        same_parameters(nn.Sequential(method.backbone, method.head), networks)


def test_only_sure_images_count_and_only_strong_views_get_a_gradient() -> None:
    weak = torch.log(torch.tensor([[0.96, 0.03, 0.01], [0.9, 0.05, 0.05]])).requires_grad_()
    strong = torch.log(torch.tensor([[0.2, 0.5, 0.3], [0.1, 0.8, 0.1]])).requires_grad_()
    loss, sure = pseudo_label_loss(strong, weak, 0.95)
    assert float(loss.detach()) == pytest.approx(-math.log(0.2) / 2)
    assert sure == 0.5
    loss.backward()
    assert weak.grad is None
    assert strong.grad is not None
    assert strong.grad[0].abs().sum() > 0
    assert strong.grad[1].abs().sum() == 0


def test_a_batch_without_a_second_view_is_refused() -> None:
    with pytest.raises(UserError, match="second view"):
        build().update(replace(batch_of(), target_again=None), torch.tensor(0))

"""DANN: an update made again by hand without our reversal, the reversal itself, and its weight."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.methods.test_update import TASK, adam, batch_of, same_parameters
from uda.data.batches import Batch
from uda.errors import UserError
from uda.methods import TaskShape
from uda.methods.dann import Dann, DannConfig
from uda.methods.domain_game import domain_loss
from uda.methods.reversal import reverse_gradient


def build(task: TaskShape = TASK, **settings: Any) -> Dann:
    torch.manual_seed(1)
    return Dann(DannConfig(**{"backbone": "unit", "width": 2, "hidden": 5, **settings}), task)


def gradients(loss: torch.Tensor, network: nn.Module) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)


@pytest.mark.parametrize("backbone", ["unit", "lenet", "dtn"])
def test_an_update_made_by_hand(backbone: str) -> None:
    """Equations (13) to (15), with two backward passes: the features' gradients are subtracted, not reversed."""
    method = build(backbone=backbone, lambda_domain=0.7, ramp=3.0, learning_rate=0.01)
    networks = copy.deepcopy(nn.ModuleList([method.backbone, method.head, method.domain_head]))
    trunk, head, domain_head = networks
    optimiser = adam(networks.parameters(), method.config)
    for step in (4, 5):
        batch = batch_of(step)
        torch.manual_seed(step)
        features = trunk(torch.cat([batch.source_images, batch.target_images]))
        classification = F.cross_entropy(head(features[:6]), batch.source_labels)
        verdicts = domain_head(features)[:, 0]
        is_source = torch.tensor([1.0] * 6 + [0.0] * 5)
        each = F.binary_cross_entropy_with_logits(verdicts, is_source, reduction="none")
        domain = each[:6].mean() + each[6:].mean()
        weight = 0.7 * (2 / (1 + math.exp(-3.0 * step / 10)) - 1)
        down, up = gradients(classification, trunk), gradients(domain, trunk)
        by_hand = [a - weight * b for a, b in zip(down, up, strict=True)]
        by_hand += [*gradients(classification, head), *gradients(domain, domain_head)]

        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        assert terms.keys() == {"classification", "domain"}
        torch.testing.assert_close(terms["classification"], classification.detach())
        torch.testing.assert_close(terms["domain"], domain.detach())
        ours = nn.ModuleList([method.backbone, method.head, method.domain_head])
        for (name, a), b, parameter in zip(ours.named_parameters(), by_hand, networks.parameters(), strict=True):
            torch.testing.assert_close(a.grad, b, rtol=1e-4, atol=1e-4 * float(b.abs().max()), msg=name)
            # Adam divides by a gradient's size, so the rounding of tiny ones would decide: from here on it is shared
            parameter.grad = a.grad
        optimiser.step()
        same_parameters(ours, networks)


def test_the_reversal_is_the_identity_and_turns_its_gradient_round() -> None:
    x, factor = torch.randn(4, 3, requires_grad=True), torch.randn(4, 3)
    there = reverse_gradient(x, torch.tensor(0.3))
    assert torch.equal(there, x)
    (back,) = torch.autograd.grad((there * factor).sum(), x)
    torch.testing.assert_close(back, -0.3 * factor)


def test_lambda_rises_as_the_paper_says() -> None:
    method = build(lambda_domain=2.0)
    assert method.weight(torch.tensor(0)) == 0.0
    assert float(method.weight(torch.tensor(3))) == pytest.approx(2.0 * (2 / (1 + math.exp(-10 * 0.3)) - 1))
    assert float(method.weight(torch.tensor(10))) == pytest.approx(2.0, abs=1e-3)


def test_domains_that_nothing_tells_apart_cost_two_log_two() -> None:
    torch.testing.assert_close(domain_loss(torch.zeros(3), torch.zeros(5)), torch.tensor(2 * math.log(2)))
    assert domain_loss(torch.full((3,), 9.0), torch.full((5,), -9.0)) < 1e-3


@pytest.mark.parametrize("channels", [(1, 3), (3, 1)])
def test_a_grey_domain_is_seen_in_colour_beside_a_colour_one(channels: tuple[int, int]) -> None:
    source, target = ((c, 16, 16) for c in channels)
    method = build(TaskShape(source, target, 3, 10))
    images, labels = torch.rand(6, *source), torch.tensor([0, 1, 2, 0, 1, 2])
    method.update(Batch(images, labels, torch.rand(5, *target), torch.arange(5)), torch.tensor(0))
    assert method.backbone.channels == 3
    assert method.predict(torch.rand(4, *target)).shape == method.predict_source(torch.rand(4, *source)).shape == (4, 3)


def test_one_image_size_for_both_domains() -> None:
    with pytest.raises(UserError, match="one image size"):
        build(TaskShape((1, 16, 16), (1, 28, 28), 3, 10))


def test_an_unknown_backbone_is_refused_before_anything_is_built() -> None:
    with pytest.raises(UserError, match="did you mean 'dtn'"):
        DannConfig(backbone="dtnn")


def test_standardised_images_look_alike_whatever_their_contrast() -> None:
    method = build(standardised=True).eval()
    images = torch.rand(4, *TASK.target_shape)
    torch.testing.assert_close(method.predict(images), method.predict(0.4 * images - 0.3), rtol=0.01, atol=0.01)
    plain = build().eval()
    assert not torch.allclose(plain.predict(images), plain.predict(0.4 * images - 0.3), rtol=0.01, atol=0.01)

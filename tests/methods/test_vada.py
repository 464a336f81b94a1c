"""VADA: updates made again by hand, whose statistics are followed, and which weights classify."""

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.methods.by_hand import same_move
from tests.methods.test_update import TASK, adam, batch_of, same_parameters
from uda.methods import TaskShape
from uda.methods.vada import Vada, VadaConfig

WEIGHTS: dict[str, Any] = {"lambda_domain": 0.6, "lambda_source": 0.7, "lambda_target": 0.8, "average_decay": 0.12}


def build(task: TaskShape = TASK, **settings: Any) -> Vada:
    torch.manual_seed(1)
    return Vada(VadaConfig(**{"backbone": "lenet", "hidden": 7, "learning_rate": 0.01, **settings}), task)


def track(network: nn.Module, on: bool) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.track_running_stats = on


def vat_by_hand(
    classify: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor, logits: torch.Tensor
) -> torch.Tensor:
    """Move each image 3.5 by the root of what it has of 3 x 32 x 32 values, where a move of 1 changes most."""
    p = F.softmax(logits, 1).detach()

    def change(moved: torch.Tensor) -> torch.Tensor:
        return F.kl_div(F.log_softmax(classify(moved), 1), p, reduction="batchmean")

    def of_length_1(x: torch.Tensor) -> torch.Tensor:
        return x / x.square().sum((1, 2, 3), keepdim=True).sqrt()

    start = of_length_1(torch.randn_like(images)).requires_grad_()
    (up,) = torch.autograd.grad(change(images + start), start)
    return change(images + 3.5 * math.sqrt(16 * 16 / 3072) * of_length_1(up))


def entropy_by_hand(logits: torch.Tensor) -> torch.Tensor:
    log_p = torch.log_softmax(logits, 1)
    return -(log_p.exp() * log_p).sum(1).mean()


def average_by_hand(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Average parameters and running statistics; copy what is counted."""
    with torch.no_grad():
        for a, p in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
            a.copy_(decay * a + (1 - decay) * p if p.is_floating_point() else p)


@pytest.mark.parametrize("backbone", ["lenet", "dtn"])
def test_updates_made_by_hand(backbone: str) -> None:
    method = build(backbone=backbone, **WEIGHTS)
    network, judge = copy.deepcopy([nn.Sequential(method.backbone, method.head), method.domain_head])
    average = copy.deepcopy(network)
    play_d, play = adam(judge.parameters(), method.config), adam(network.parameters(), method.config)
    for step in (0, 1):
        batch = batch_of(step)
        x_s, x_t = batch.source_images, batch.target_images
        torch.manual_seed(step)
        track(network, True)
        f_t = network[0](x_t)
        track(network, False)
        f_s = network[0](x_s)
        said_s, said_t = torch.sigmoid(judge(f_s.detach())), torch.sigmoid(judge(f_t.detach()))
        domain = -said_s.log().mean() - (1 - said_t).log().mean()
        play_d.zero_grad()
        domain.backward()
        play_d.step()
        frozen = copy.deepcopy(judge).requires_grad_(False)
        said_s, said_t = torch.sigmoid(frozen(f_s)), torch.sigmoid(frozen(f_t))
        confusion = -(1 - said_s).log().mean() - said_t.log().mean()
        logits_s, logits_t = network[1](f_s), network[1](f_t)
        classification = F.cross_entropy(logits_s, batch.source_labels)
        vat_source, vat_target = vat_by_hand(network, x_s, logits_s), vat_by_hand(network, x_t, logits_t)
        entropy = entropy_by_hand(logits_t)
        play.zero_grad()
        (classification + 0.6 * confusion + 0.7 * vat_source + 0.8 * (vat_target + entropy)).backward()

        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        same_parameters(method.domain_head, judge)
        same_move([method.backbone, method.head], network, play)
        average_by_hand(average, network, (0.1, 0.12)[step])
        same_parameters(method.averages.networks, average)
        expected = {
            "domain": domain,
            "classification": classification,
            "confusion": confusion,
            "vat_source": vat_source,
            "vat_target": vat_target,
            "entropy": entropy,
        }
        assert terms.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(terms[name], value.detach(), rtol=1e-4, atol=1e-5)


def test_the_averaged_weights_classify_both_domains() -> None:
    method, images = build(average_decay=0.99).eval(), torch.rand(4, *TASK.target_shape)
    method.update(batch_of(), torch.tensor(5))
    backbone, head = method.averages.networks
    assert torch.equal(method.predict(images), head(backbone(images)))
    assert torch.equal(method.predict_source(images), head(backbone(images)))
    assert not torch.allclose(method.predict(images), method.head(method.backbone(images)))


@pytest.mark.parametrize("channels", [(1, 3), (3, 1)])
def test_a_value_of_a_grey_image_is_moved_as_far_as_one_of_a_colour_image(
    channels: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    radii = []

    def remember(classify: Any, images: torch.Tensor, logits: torch.Tensor, radius: float) -> torch.Tensor:
        radii.append(radius / math.sqrt(images[0].numel()))
        return logits.sum()

    monkeypatch.setattr("uda.methods.vada.virtual_adversarial_loss", remember)
    source, target = ((c, 32, 32) for c in channels)
    method = build(TaskShape(source, target, 3, 10))
    logits = torch.zeros(2, 3)
    for shape in (source, target):
        method._vat(torch.zeros(2, *shape), logits)
    assert radii == pytest.approx([3.5 / math.sqrt(3 * 32 * 32)] * 2)

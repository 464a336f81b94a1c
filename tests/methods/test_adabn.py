"""AdaBN: two updates made again by hand, and whose statistics each domain is read with."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.methods.test_update import batch_of
from tests.methods.two_updates import build, compare_updates
from uda.data.batches import Batch

BACKBONES = ["unit", "dtn", "lenet"]


def without_dropout(backbone: str) -> Any:
    method = build("adabn", backbone=backbone)
    for module in method.modules():
        if isinstance(module, nn.Dropout | nn.Dropout2d):
            module.p = 0.0
    return method


@pytest.mark.parametrize("backbone", BACKBONES)
def test_updates_made_by_hand(backbone: str) -> None:
    def loss(twin: Any, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        classification = F.cross_entropy(twin.head(twin.backbone(batch.source_images)), batch.source_labels)
        return classification, {"classification": classification}

    def read_target(twin: Any, batch: Batch) -> None:
        """A network that shares nothing is given the weights and the target's statistics, and reads the target."""
        apart = copy.deepcopy(twin.backbone)
        apart.load_state_dict({**twin.target_backbone.state_dict(), **dict(twin.backbone.named_parameters())})
        apart.train()(batch.target_images)
        for buffer, read in zip(twin.target_backbone.buffers(), apart.buffers(), strict=True):
            buffer.copy_(read)

    compare_updates(without_dropout(backbone), loss, read_target)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_each_domain_is_read_with_its_own_statistics(backbone: str) -> None:
    method = build("adabn", backbone=backbone)
    for step in range(3):
        method.update(batch_of(step), torch.tensor(step))
    method.eval()
    images = batch_of(9).target_images
    before = method.predict(images), method.predict_source(images)
    assert not torch.allclose(*before)
    for norm in method.backbone.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            norm.reset_running_stats()
    assert torch.equal(method.predict(images), before[0])
    assert not torch.allclose(method.predict_source(images), before[1])


def test_a_backbone_without_batch_normalisation_gets_one_behind_its_features() -> None:
    method = without_dropout("lenet")
    batch = batch_of()
    method.update(batch, torch.tensor(0))
    with torch.no_grad():
        source, target = (method.backbone.layers[0](x) for x in (batch.source_images, batch.target_images))
    norm = method.target_backbone.layers[1]
    torch.testing.assert_close(norm.running_mean, 0.1 * target.mean(0))
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * target.var(0))
    assert not torch.allclose(norm.running_mean, 0.1 * source.mean(0))


def test_no_gradient_comes_from_the_target() -> None:
    batch = batch_of()
    others = Batch(batch.source_images, batch.source_labels, batch.target_images.flip(3) * 2, batch.target_index)
    one, other = build("adabn"), build("adabn")
    one.update(batch, torch.tensor(0))
    other.update(others, torch.tensor(0))
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
    assert any(not torch.equal(a, b) for a, b in zip(one.buffers(), other.buffers(), strict=True))


def test_weights_stay_shared_when_they_are_loaded_and_laid_out_anew() -> None:
    method, other = build("adabn"), build("adabn")
    method.update(batch_of(), torch.tensor(0))
    nn.Module.to(other, memory_format=torch.channels_last).load_state_dict(method.state_dict())
    both = other.backbone, other.target_backbone
    assert all(a is b for a, b in zip(*(network.parameters() for network in both), strict=True))
    assert not any(a is b for a, b in zip(*(network.buffers() for network in both), strict=True))

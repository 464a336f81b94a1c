"""GTA: an update made again by hand, its moves in their order."""

import copy
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from tests.methods.test_update import TASK, adam, batch_of, log_d, same_parameters, with_placed
from uda.data.batches import Batch
from uda.methods import TaskShape
from uda.methods.gta import Gta, GtaConfig


def build(task: TaskShape = TASK, **settings: Any) -> Gta:
    torch.manual_seed(1)
    return Gta(GtaConfig(**{"width": 2, "noise": 4, "learning_rate": 0.01, **settings}), task)


@pytest.mark.parametrize("plain", [False, True])
def test_an_update_made_by_hand(plain: bool) -> None:
    method = build(lambda_adversarial=0.3, lambda_target=0.6, plain_game=plain)
    names = ("backbone", "head", "generator", "discriminator", "class_head")
    backbone, head, generator, discriminator, class_head = (copy.deepcopy(getattr(method, name)) for name in names)
    play_d = adam([*discriminator.parameters(), *class_head.parameters()], method.config)
    play_g = adam(generator.parameters(), method.config)
    play_f = adam([*backbone.parameters(), *head.parameters()], method.config)
    read = lambda images: class_head(discriminator.features([(images, 0)])[0].flatten(1))  # noqa: E731
    judge = lambda images: discriminator([(images, 0)])[0]  # noqa: E731
    for step in (0, 1):
        batch = with_placed(batch_of(step))
        x, y = batch.source_images, batch.source_labels
        real = x.flip(3) if plain else x
        torch.manual_seed(step)
        features = backbone(torch.cat([x, batch.target_images]))
        # a source image's class, or the fourth, which says that the feature is a target image's
        classes = torch.eye(4)[torch.cat([y, torch.full((5,), 3)])]
        drawn = generator(torch.cat([features.detach(), classes, torch.randn(11, 4)], 1), 0)
        fakes = drawn.detach()
        gan = -log_d(judge(real), True) - log_d(judge(fakes), False)
        auxiliary = F.cross_entropy(read(real), y)
        play_d.zero_grad()
        (gan + auxiliary).backward()
        play_d.step()
        fooled, drawn_class = -log_d(judge(drawn[:6]), True), F.cross_entropy(read(drawn[:6]), y)
        play_g.zero_grad()
        (fooled + drawn_class).backward()
        play_g.step()
        again = generator(torch.cat([features, classes, torch.randn(11, 4)], 1), 0)
        classification = F.cross_entropy(head(features[:6]), y)
        again_class, confusion = F.cross_entropy(read(again[:6]), y), -log_d(judge(again[6:]), True)
        play_f.zero_grad()
        (classification + 0.3 * again_class + 0.3 * 0.6 * confusion).backward()
        play_f.step()

        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        expected = {
            "gan_discriminator": gan,
            "auxiliary": auxiliary,
            "gan_generator": fooled,
            "auxiliary_generator": drawn_class,
            "classification": classification,
            "auxiliary_features": again_class,
            "confusion": confusion,
        }
        assert terms.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(terms[name], value.detach(), rtol=1e-4, atol=1e-6, msg=name)
        by_hand = (backbone, head, generator, discriminator, class_head)
        for name, network in zip(names, by_hand, strict=True):
            same_parameters(getattr(method, name), network)


def test_source_images_are_drawn_in_the_sources_channels() -> None:
    method = build(TaskShape((3, 16, 16), (1, 16, 16), 3, 10))
    batch = Batch(torch.rand(3, 3, 16, 16), torch.arange(3), torch.rand(5, 1, 16, 16), torch.arange(5))
    method.update(batch, torch.tensor(0))
    source, target = method.joint_features(batch)
    assert method._draw(source, target, batch.source_labels).shape == (8, 3, 16, 16)

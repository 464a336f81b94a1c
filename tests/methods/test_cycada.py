"""CyCADA: an update of each stage made again by hand, where stages begin, and what classifies which images."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.methods.by_hand import resumes_in_the_same_bits, same_move
from tests.methods.test_update import TASK, adam, batch_of, log_d, same_parameters, with_placed
from uda.data.augmentation import Augmentation
from uda.data.batches import Batch, Batches
from uda.errors import UserError
from uda.methods import TaskShape
from uda.methods.cycada import Cycada, CycadaConfig
from uda.training.updates import Updates


def build(task: TaskShape = TASK, **settings: Any) -> Cycada:
    torch.manual_seed(1)
    small = {"width": 2, "blocks": 1, "hidden": 7, "learning_rate": 0.01}
    return Cycada(CycadaConfig(**{**small, **settings}), task)


def batches_of() -> Batches:
    generator = torch.Generator().manual_seed(2)
    source, target = torch.randint(0, 256, (2, 12, 1, 16, 16), dtype=torch.uint8, generator=generator)
    return Batches(source, torch.arange(12) % 3, target, 4, Augmentation(), 1)


@pytest.mark.parametrize(("good_enough", "plain"), [(100.0, False), (0.0, False), (100.0, True)])
def test_updates_of_the_pixel_stage_made_by_hand(good_enough: float, plain: bool) -> None:
    lambdas: dict[str, Any] = {"lambda_target": 1.5, "lambda_cycle": 0.7, "lambda_semantic": 0.4}
    method = build(good_enough=good_enough, pixel_rate=0.3, plain_game=plain, **lambdas)
    names = ("to_target", "to_source", "in_source", "in_target", "backbone", "head")
    to_target, to_source, in_source, in_target, backbone, head = (copy.deepcopy(getattr(method, n)) for n in names)
    slower = replace(method.config, learning_rate=0.003)
    play_translators = adam([*to_target.parameters(), *to_source.parameters()], slower)
    play_images = adam([*in_source.parameters(), *in_target.parameters()], slower)
    play_classes = adam([*backbone.parameters(), *head.parameters()], method.config)
    verdict = lambda d, images: d([(images, 0)])[0]  # noqa: E731
    for step in (0, 1):
        batch = with_placed(batch_of(step))
        s, t, y = batch.source_images, batch.target_images, batch.source_labels
        augmented, s, t = s, s.flip(3) if plain else s, t.flip(2) if plain else t
        s_t, t_s = to_target(s), to_source(t)
        gan = -1.5 * log_d(verdict(in_target, s_t), True) - log_d(verdict(in_source, t_s), True)
        cycle = (to_source(s_t) - s).abs().mean() + (to_target(t_s) - t).abs().mean()
        backbone.eval()
        said = head(backbone(t)).argmax(1)
        semantic = F.cross_entropy(head(backbone(s_t)), y) + F.cross_entropy(head(backbone(t_s)), said)
        backbone.train()
        semantic = semantic * float(good_enough > 0)
        play_translators.zero_grad()
        (gan + 0.7 * cycle + 0.4 * semantic).backward()
        real = log_d(verdict(in_source, s), True) + log_d(verdict(in_target, t), True)
        fake = log_d(verdict(in_source, t_s.detach()), False) + log_d(verdict(in_target, s_t.detach()), False)
        play_images.zero_grad()
        (-real - fake).backward()
        play_images.step()
        classification = F.cross_entropy(head(backbone(augmented)), y)
        play_classes.zero_grad()
        classification.backward()
        play_classes.step()

        terms = method.update(batch, torch.tensor(step))
        expected = {
            "gan_generator": gan,
            "cycle": cycle,
            "semantic": semantic,
            "gan_discriminator": -real - fake,
            "classification": classification,
        }
        assert {name for name, term in terms.items() if term == 0} - {"semantic"} == {"domain", "confusion"}
        for name, value in expected.items():
            torch.testing.assert_close(terms[name], value.detach(), rtol=1e-4, atol=1e-6, msg=name)
        same_move([method.to_target, method.to_source], [to_target, to_source], play_translators)
        for name, network in zip(names[2:], (in_source, in_target, backbone, head), strict=True):
            same_parameters(getattr(method, name), network)


SHARES = pytest.mark.parametrize(("pixel_share", "plain"), [(0.5, False), (0.0, False), (0.5, True)])


@SHARES
def test_updates_of_the_classifiers_stage_made_by_hand(pixel_share: float, plain: bool) -> None:
    method = build(pixel_share=pixel_share, plain_game=plain)
    method.stage = 1
    before = copy.deepcopy(method.to_target.state_dict())
    networks = copy.deepcopy(nn.Sequential(method.backbone, method.head))
    optimiser = adam(networks.parameters(), method.config)
    for step in (0, 1):
        batch = with_placed(batch_of(step))
        images = batch.source_images.flip(3) if plain else batch.source_images
        images = images if pixel_share == 0 else method.to_target(images).detach()
        loss = F.cross_entropy(networks(images), batch.source_labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        terms = method.update(batch, torch.tensor(step))
        torch.testing.assert_close(terms.pop("classification"), loss.detach())
        assert all(term == 0 for term in terms.values())
        same_parameters(nn.Sequential(method.backbone, method.head), networks)
    assert all(torch.equal(a, before[name]) for name, a in method.to_target.state_dict().items())


@SHARES
def test_updates_of_the_feature_stage_made_by_hand(pixel_share: float, plain: bool) -> None:
    method = build(pixel_share=pixel_share, feature_rate=0.4, plain_game=plain)
    method.begin_stage(2, batches_of())
    method.stage = 2
    source_net = copy.deepcopy(nn.Sequential(method.backbone, method.head))
    target_net, judge = copy.deepcopy(source_net), copy.deepcopy(method.feature_discriminator)
    slower = replace(method.config, learning_rate=0.004)
    play_judge, play_target = (adam(n.parameters(), slower) for n in (judge, target_net))
    for step in (0, 1):
        batch = with_placed(batch_of(step))
        images, target = batch.source_images, batch.target_images
        images, target = images.flip(3) if plain else images, target.flip(2) if plain else target
        images = images if pixel_share == 0 else method.to_target(images)
        on_source, on_target = source_net(images).detach(), target_net(target)
        domain = -log_d(judge(on_source), True) - log_d(judge(on_target.detach()), False)
        play_judge.zero_grad()
        domain.backward()
        play_judge.step()
        confusion = -log_d(judge(on_target), True)
        play_target.zero_grad()
        confusion.backward()
        play_target.step()
        terms = method.update(batch, torch.tensor(step))
        torch.testing.assert_close(terms.pop("domain"), domain.detach())
        torch.testing.assert_close(terms.pop("confusion"), confusion.detach())
        assert all(term == 0 for term in terms.values())
        same_parameters(method.feature_discriminator, judge)
        same_parameters(nn.Sequential(method.backbone, method.head), target_net)
        # of the source's network only the statistics move
        same_parameters(nn.Sequential(*method.source_networks), source_net)


@pytest.mark.parametrize(
    ("preset", "stages"), [("default", [0] * 5 + [1] * 3 + [2] * 2), ("pixel", [0] * 5 + [1] * 5),
                           ("feature", [1] * 8 + [2] * 2)]
)  # fmt: skip
def test_presets_leave_stages_out(preset: str, stages: list[int]) -> None:
    method = build(**Cycada.presets[preset])
    updates = Updates(method, batches_of(), "fp32", 1)
    seen, rates = [], []
    for step in range(TASK.steps):
        updates.make(step)
        seen.append(method.stage)
        rates.append({name: o.param_groups[0]["lr"] for name, o in method.optimisers.items()})
    assert seen == stages
    first_of = {stage: stages.index(stage) for stage in stages}
    assert all(rates[step]["classifier"] == pytest.approx(0.01) for step in first_of.values())
    assert all(rates[step]["translators"] == pytest.approx(0.002) for step in first_of.values())
    assert all(rates[step]["target"] == pytest.approx(0.001) for step in first_of.values())


@pytest.mark.parametrize("stop", [3, 5, 6, 8, 9])
def test_resumed_in_any_stage_it_ends_in_the_same_bits(stop: int) -> None:
    resumes_in_the_same_bits(build, batches_of, stop)


def test_source_images_are_drawn_in_the_target_domain_before_they_are_classified() -> None:
    method = build(TaskShape((1, 16, 16), (3, 16, 16), 3, 10)).eval()
    source, target = torch.rand(4, 1, 16, 16), torch.rand(5, 3, 16, 16)
    torch.testing.assert_close(
        method.predict_source(source), method.head(method.backbone(method.to_target(source).detach()))
    )
    torch.testing.assert_close(method.predict(target), method.head(method.backbone(target)))
    alone = build(TaskShape((1, 16, 16), (3, 16, 16), 3, 10), pixel_share=0.0).eval()
    torch.testing.assert_close(alone.predict_source(source), alone.head(alone.backbone(source.expand(-1, 3, -1, -1))))
    for each in (method.train(), alone.train()):
        each.update(Batch(source, torch.tensor([0, 1, 2, 0]), target, torch.arange(5)), torch.tensor(0))


def test_in_the_feature_stage_each_domain_has_a_network_of_its_own() -> None:
    method = build()
    method.begin_stage(2, batches_of())
    method.stage = 2
    method.update(batch_of(), torch.tensor(0))
    method.eval()
    images = torch.rand(4, 1, 16, 16)
    source_net, target_net = nn.Sequential(*method.source_networks), nn.Sequential(method.backbone, method.head)
    drawn = method.to_target(images).detach()
    torch.testing.assert_close(method.predict_source(images), source_net(drawn))
    torch.testing.assert_close(method.predict(images), target_net(images))
    assert not torch.allclose(source_net(drawn), target_net(drawn))


def test_shares_that_leave_nothing_are_refused() -> None:
    with pytest.raises(UserError, match="pixel_share"):
        CycadaConfig(pixel_share=0.6, feature_share=0.4)
    with pytest.raises(UserError, match="plain_game is true and pixel_share 0"):
        CycadaConfig(pixel_share=0.0, plain_game=True)


def test_an_image_side_that_cannot_be_halved_twice_is_refused() -> None:
    with pytest.raises(UserError, match="18 x 18"):
        build(TaskShape((1, 18, 18), (1, 18, 18), 3, 10))

"""UNIT's last stage: an update made again by hand, what it moves and reads, and that it is resumed in the same bits."""

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.methods.by_hand import resumes_in_the_same_bits, same_move
from tests.methods.test_shot import EPOCH, batches_of
from tests.methods.test_unit_classifier import TAUGHT, unit
from tests.methods.test_update import TASK, adam, batch_of
from tests.methods.test_vada import entropy_by_hand
from uda.data.augmentation import Augmentation, to_float
from uda.data.batches import Batches
from uda.methods.centroids import centroid_labels
from uda.methods.unit import UnitMethod
from uda.training.updates import Updates
from uda.unit.networks import Encoder

#: Steps 4 to 9 of 10 refine.
REFINED: dict[str, Any] = {"refine_share": 0.6, "refine_pseudo": 0.3}
BEGIN = 4
FOLLOWED = [{}, TAUGHT, {"average_decay": 0.9}]


def both_views() -> Batches:
    one = batches_of()
    images = one.source_images, one.source_labels, one.target_images
    return Batches(*images, one.batch_size, Augmentation(shift=1), 1, second_view=True)


def judges_of(method: UnitMethod) -> tuple[nn.Module, nn.Module]:
    """Return the trunk and the head that classify target images in the end."""
    if method.teacher is not None or method.averages is not None:
        trunk, head = (method.teacher or method.averages).networks  # type: ignore[union-attr]
        return trunk, head
    return (method.core.encoder if method.config.head == "encoder" else method.core.discriminator), method.head


def shares_of(method: UnitMethod) -> Tensor:
    assert method.class_shares is not None
    return method.class_shares


def by_hand(trunk: nn.Module, head: nn.Module, images: Tensor) -> Tensor:
    """Return the logits of target images at test time."""
    trunk.eval()
    parts = [(images, 1)]
    features = trunk(parts)[0][0] if isinstance(trunk, Encoder) else trunk.features(parts)[0].flatten(1)  # type: ignore[operator]
    logits: Tensor = head(features)
    return logits


@pytest.mark.parametrize("followed", FOLLOWED)
@pytest.mark.parametrize("head", ["encoder", "discriminator"])
@pytest.mark.parametrize("beta", [0.3, 0.0])
def test_updates_made_by_hand(head: str, beta: float, followed: dict[str, Any]) -> None:
    method = unit(head=head, **{**REFINED, "refine_pseudo": beta}, **followed)
    method.stage = 1
    method.pseudo_labels.keep(torch.tensor([2, 0, 1, 1, 0]))
    refined, classifier = judges_of(method)
    trunk, classifier = copy.deepcopy(refined), copy.deepcopy(classifier).requires_grad_(False)
    optimiser = adam(trunk.parameters(), replace(method.config, learning_rate=0.1 * method.config.learning_rate))
    for step in (4, 5):
        batch = replace(batch_of(step), target_index=torch.tensor([4, 1, 0, 3, 2]))
        if head == "encoder":
            features = trunk([(batch.target_images, 1)])[0][0]
        else:
            features = trunk.features([(batch.target_images, 1)])[0].flatten(1)  # type: ignore[operator]
        logits = classifier(features)
        mean = F.softmax(logits, 1).mean(0)
        entropy, diversity = entropy_by_hand(logits), -(mean * mean.log()).sum()
        pseudo = -F.log_softmax(logits, 1)[range(5), [0, 0, 2, 1, 1]].mean()
        optimiser.zero_grad()
        (entropy - diversity + beta * pseudo).backward()
        terms = method.update(batch, torch.tensor(step))
        same_move([refined], [trunk], optimiser)
        expected = {"entropy": entropy, "diversity": diversity, "pseudo_classification": pseudo * (beta > 0)}
        for name, value in terms.items():
            torch.testing.assert_close(value, expected.get(name, torch.zeros(())).detach(), rtol=1e-4, atol=1e-6)
        assert terms.keys() == set(UnitMethod.TERMS)
    assert torch.equal(method.eval().predict(batch.target_images), by_hand(trunk, classifier, batch.target_images))


@pytest.mark.parametrize("followed", FOLLOWED)
@pytest.mark.parametrize("head", ["encoder", "discriminator"])
def test_head_and_translation_rest_and_no_source_image_is_read(head: str, followed: dict[str, Any]) -> None:
    ends = []
    for blank in (False, True):
        method, batches = unit(head=head, **REFINED, **followed), both_views()
        updates = Updates(method, batches, "fp32", 1)
        for step in range(BEGIN):
            updates.make(step)
        if blank:
            batches.source_images.zero_()
            batches.source_labels.zero_()
        updates.make(BEGIN)
        before = copy.deepcopy(method.state_dict())
        for step in range(BEGIN + 1, TASK.steps):
            updates.make(step)
        after = method.state_dict()
        moved = {name for name in before if not torch.equal(before[name], after[name])}
        (refined,) = (name for name, module in method.named_modules() if module is judges_of(method)[0])
        assert {name for name in moved if not name.startswith((f"{refined}.", "pseudo_labels."))} == set()
        assert any(name.startswith(f"{refined}.") for name in moved)
        assert refined.startswith("core.") != bool(followed)
        ends.append(after)
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


@pytest.mark.parametrize("followed", FOLLOWED)
def test_it_begins_from_what_classifies(followed: dict[str, Any]) -> None:
    method, batches = unit(**REFINED, **followed), both_views()
    updates = Updates(method, batches, "fp32", 1)
    for step in range(BEGIN):
        updates.make(step)
    before = copy.deepcopy(judges_of(method))
    updates.prepare(BEGIN)
    assert method.stage == 1
    for judge, kept in zip(judges_of(method), before, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(judge.parameters(), kept.parameters(), strict=True))


@pytest.mark.parametrize("followed", FOLLOWED)
def test_shares_of_the_classes_are_kept_as_they_were_predicted_when_it_began(followed: dict[str, Any]) -> None:
    method, batches = unit(refine_even=False, **REFINED, **followed), both_views()
    updates = Updates(method, batches, "fp32", 1)
    for step in range(TASK.steps):
        before = copy.deepcopy(method).eval()
        updates.make(step)
        if step < BEGIN:
            assert torch.equal(shares_of(method), torch.full((3,), 1 / 3))
        if step == BEGIN:
            begun = F.softmax(before.predict(to_float(batches.target_images)), 1).mean(0)
        if step >= BEGIN:
            torch.testing.assert_close(shares_of(method), begun)
    assert not torch.allclose(begun, torch.full((3,), 1 / 3), atol=1e-3)
    assert "class_shares" not in unit(**REFINED, **followed).state_dict()


def test_diversity_is_measured_by_those_shares() -> None:
    method = unit(refine_even=False, **{**REFINED, "refine_pseudo": 0.0})
    method.stage, shares = 1, torch.tensor([0.6, 0.3, 0.1])
    shares_of(method).copy_(shares)
    trunk, classifier = (copy.deepcopy(judge) for judge in judges_of(method))
    optimiser = adam(trunk.parameters(), replace(method.config, learning_rate=0.1 * method.config.learning_rate))
    batch = batch_of(4)
    logits = classifier(trunk([(batch.target_images, 1)])[0][0])
    mean = F.softmax(logits, 1).mean(0)
    diversity = torch.tensor(3.0).log() - (mean * (mean / shares).log()).sum()
    optimiser.zero_grad()
    (entropy_by_hand(logits) - diversity).backward()
    terms = method.update(batch, torch.tensor(4))
    same_move([judges_of(method)[0]], [trunk], optimiser)
    torch.testing.assert_close(terms["diversity"], diversity.detach(), rtol=1e-4, atol=1e-6)
    assert diversity.item() < -(mean * mean.log()).sum().item()


@pytest.mark.parametrize("followed", FOLLOWED)
def test_images_are_labelled_at_the_beginning_of_each_epoch_of_it(followed: dict[str, Any]) -> None:
    method, batches = unit(**REFINED, **followed), both_views()
    updates = Updates(method, batches, "fp32", 1)
    kept = []
    for step in range(TASK.steps):
        before = copy.deepcopy(method).eval()
        updates.make(step)
        now = method.pseudo_labels.labels.clone()
        kept.append(now)
        if step >= BEGIN and (step - BEGIN) % EPOCH == 0:
            features, logits = before.outputs(to_float(batches.target_images))
            assert torch.equal(now, centroid_labels(features.detach(), logits.detach()))
        elif step:
            assert torch.equal(now, kept[step - 1])
    assert [len(labels) for labels in kept] == [0] * 4 + [13] * 6
    assert method.training


def test_the_schedule_begins_anew_at_its_own_rate() -> None:
    method = unit(learning_rate=0.01, refine_rate=0.2, **REFINED)
    rates = []
    for step in (0, 2, BEGIN, 7):
        method.schedule(step)
        rates.append([o.param_groups[0]["lr"] for o in (method.play_eg, method.play_trunk)])
    assert rates == [pytest.approx([x, 0.2 * x]) for x in (0.01, 0.005, 0.01, 0.005)]


@pytest.mark.parametrize("followed", FOLLOWED)
@pytest.mark.parametrize("stop", [3, 4, 6, 7])
def test_resumed_anywhere_it_ends_in_the_same_bits(stop: int, followed: dict[str, Any]) -> None:
    build: Callable[[], UnitMethod] = partial(unit, refine_even=False, **REFINED, **followed)
    resumes_in_the_same_bits(build, both_views, stop)


def test_each_term_has_a_name_in_both_stages() -> None:
    """With all terms on, none is left out of what a run logs."""
    weights = {name: 0.1 for name in vars(unit().config) if name.startswith("lambda_")}
    for head in ("encoder", "discriminator"):
        all_on = {**weights, "head": head}
        method, refined = unit(**all_on), unit(**all_on, **REFINED)
        names = method.update(batch_of(), torch.tensor(1)).keys()
        assert names <= set(UnitMethod.TERMS)
        assert refined.update(batch_of(), torch.tensor(1)).keys() == set(UnitMethod.TERMS)
        assert set(UnitMethod.TERMS) - names == {"pseudo_classification"}


def test_a_run_without_it_has_one_stage_and_none_of_its_state() -> None:
    method = unit()
    assert method.starts == (0,)
    assert "refinement" not in method.optimisers
    assert not any(name.startswith("pseudo_labels") for name in method.state_dict())

"""What carries UNIT further: each term made again by hand, and what it moves, all else staying the same bits."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.methods.by_hand import same_move
from tests.methods.test_update import (
    ENCODER_SURE,
    adam,
    batch_of,
    build,
    by_hand_streams,
    by_hand_teaching,
    log_d,
    same_parameters,
)
from tests.methods.test_vada import average_by_hand, entropy_by_hand, vat_by_hand
from uda.data.batches import Batch
from uda.errors import UserError
from uda.methods.unit import UnitConfig, UnitMethod

#: UNIT without any of its terms but the game's and the source's; the ramp is at a quarter at step 1.
PLAIN: dict[str, Any] = {
    "width": 2,
    "dropout": False,
    "warmup": 4,
    "lambda_class": 3.0,
    "lambda_translated": 0.0,
    "lambda_teacher": 0.0,
}
#: A teacher, and from what it is sure of: some images, not all, with one first layer for both domains or with two.
TAUGHT: dict[str, Any] = {"lambda_teacher": 9.0, "teacher_decay": 0.8}
SURE = {False: 0.3387, True: ENCODER_SURE}
STEP = 1


class ByHand(NamedTuple):
    """Networks, what they read and said of a batch, and copies of those that judge, which do not move."""

    batch: Batch
    encoder: nn.Module
    head: nn.Module
    teacher: list[nn.Module]
    judge: Callable[[Tensor, int], Tensor]
    on_source: Tensor
    on_target: Tensor
    x_12: Tensor
    x_21: Tensor
    own_first: bool

    def classify(self, domain: int) -> Callable[[Tensor], Tensor]:
        def read(images: Tensor) -> Tensor:
            logits: Tensor = self.head(self.encoder([(images, domain)], track=False)[0][0])
            return logits

        return read


def unit(**settings: Any) -> UnitMethod:
    method: UnitMethod = build("unit", **{**PLAIN, **settings})
    return method


def semantic(s: ByHand) -> tuple[dict[str, Tensor], Tensor]:
    kept = F.cross_entropy(s.judge(s.x_12, 1), s.batch.source_labels)
    return {"semantic": kept}, 0.25 * 2.0 * kept


def semantic_back(s: ByHand) -> tuple[dict[str, Tensor], Tensor]:
    confidence = SURE[s.own_first]
    shown = s.teacher[1](s.teacher[0]([(s.batch.target_again, 1)])[0][0]).detach()
    agreement, sure, _ = by_hand_teaching(s.on_target, shown, confidence)
    q, log_p = F.softmax(shown, 1), F.log_softmax(s.judge(s.x_21, 0), 1)
    each = [-log_p[i, q[i].argmax()] for i in range(5) if q[i].max() > confidence]
    kept = torch.stack(each).sum() / 5
    return {"consistency": agreement, "sure": sure, "semantic_back": kept}, 0.25 * (9.0 * agreement + 2.0 * kept)


def aligned(s: ByHand) -> tuple[dict[str, Tensor], Tensor]:
    said = s.teacher[1](s.teacher[0]([(s.batch.target_again, 1)])[0][0]).detach()
    p = F.softmax(said, 1)
    shown = (p / (0.99 / 3 + 0.01 * p.mean(0))).log()
    agreement, sure, _ = by_hand_teaching(s.on_target, shown, SURE[s.own_first])
    return {"consistency": agreement, "sure": sure}, 0.25 * 9.0 * agreement


def information(s: ByHand) -> tuple[dict[str, Tensor], Tensor]:
    mean = F.softmax(s.on_target, 1).mean(0)
    entropy, diversity = entropy_by_hand(s.on_target), -(mean * mean.log()).sum()
    return {"entropy": entropy, "diversity": diversity}, 0.25 * (0.7 * (entropy - diversity) + 0.4 * entropy)


def entropy_alone(s: ByHand) -> tuple[dict[str, Tensor], Tensor]:
    entropy = entropy_by_hand(s.on_target)
    return {"entropy": entropy}, 0.25 * 0.4 * entropy


def smooth(s: ByHand) -> tuple[dict[str, Tensor], Tensor]:
    on_source = vat_by_hand(s.classify(0), s.batch.source_images, s.on_source)
    on_target = vat_by_hand(s.classify(1), s.batch.target_images, s.on_target)
    return {"vat_source": on_source, "vat_target": on_target}, 0.6 * on_source + 0.25 * 0.5 * on_target


CASES = [
    ({"lambda_semantic": 2.0}, semantic),
    ({"lambda_semantic_back": 2.0, **TAUGHT}, semantic_back),
    ({"alignment": 0.99, **TAUGHT}, aligned),
    ({"lambda_information": 0.7, "lambda_entropy": 0.4}, information),
    ({"lambda_entropy": 0.4}, entropy_alone),
    ({"lambda_vat_source": 0.6, "lambda_vat_target": 0.5}, smooth),
]


@pytest.mark.parametrize("own_first", [False, True])
@pytest.mark.parametrize(("settings", "term"), CASES)
def test_each_term_made_by_hand(
    settings: dict[str, Any], term: Callable[[ByHand], tuple[dict[str, Tensor], Tensor]], own_first: bool
) -> None:
    method, batch = unit(own_first=own_first, confidence=SURE[own_first], **settings), batch_of()
    core, head = copy.deepcopy(method.core), copy.deepcopy(method.head)
    fixed = copy.deepcopy([core.encoder, head])
    x_1, x_2 = batch.source_images, batch.target_images
    play_d = adam(core.discriminator.parameters(), method.config)
    moved = nn.ModuleList([core.encoder, core.generator, head])
    play_eg = adam(moved.parameters(), method.config)

    torch.manual_seed(5)
    m_1, _, m_2, _, x_11, x_21, x_12, x_22 = by_hand_streams(core, x_1, x_2)
    d = lambda x, domain: core.discriminator([(x, domain)])[0]  # noqa: E731
    real = log_d(d(x_1, 0), True) + log_d(d(x_2, 1), True)
    (-real - log_d(d(x_21.detach(), 0), False) - log_d(d(x_12.detach(), 1), False)).backward()
    play_d.step()
    core.discriminator.requires_grad_(False)
    kl = (m_1.square().sum(1).mean() + m_2.square().sum(1).mean()) / 2
    l1 = (x_1 - x_11).abs().sum((1, 2, 3)).mean() + (x_2 - x_22).abs().sum((1, 2, 3)).mean()
    game = 2e-4 * kl + 0.1 * l1 - log_d(d(x_21, 0), True) - log_d(d(x_12, 1), True)
    on_source, on_target = head(m_1), head(m_2)

    def judge(images: Tensor, domain: int) -> Tensor:
        logits: Tensor = fixed[1](fixed[0]([(images, domain)], track=False)[0][0])
        return logits

    expected, loss = term(
        ByHand(batch, core.encoder, head, copy.deepcopy(fixed), judge, on_source, on_target, x_12, x_21, own_first)
    )
    (game + 3.0 * F.cross_entropy(on_source, batch.source_labels) + loss).backward()

    torch.manual_seed(5)
    terms = method.update(batch, torch.tensor(STEP))
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value.detach(), rtol=1e-4, atol=1e-5)
        assert not terms[name].requires_grad
    known = {"gan_discriminator", "kl", "reconstruction", "gan_generator", "classification"}
    assert terms.keys() == known | expected.keys()
    same_parameters(method.core.discriminator, core.discriminator)
    same_move([method.core.encoder, method.core.generator, method.head], moved, play_eg)


def test_classes_on_the_discriminators_are_kept_by_what_has_just_moved() -> None:
    """There the head learns in the first move, and judges translations in the second."""
    settings: dict[str, Any] = {"lambda_semantic": 2.0, "lambda_information": 0.7, "lambda_vat_target": 0.5}
    method, batch = unit(head="discriminator", **settings), batch_of()
    core, head = copy.deepcopy(method.core), copy.deepcopy(method.head)
    x_1, x_2 = batch.source_images, batch.target_images
    adversary, generative = nn.ModuleList([core.discriminator, head]), nn.ModuleList([core.encoder, core.generator])
    play_d = adam(adversary.parameters(), method.config)
    play_eg = adam(generative.parameters(), method.config)

    def classify(images: Tensor, domain: int) -> Tensor:
        logits: Tensor = head(core.discriminator.features([(images, domain)])[0].flatten(1))
        return logits

    torch.manual_seed(5)
    m_1, _, m_2, _, x_11, x_21, x_12, x_22 = by_hand_streams(core, x_1, x_2)
    d = lambda x, domain: core.discriminator([(x, domain)])[0]  # noqa: E731
    real = log_d(d(x_1, 0), True) + log_d(d(x_2, 1), True)
    gan = -real - log_d(d(x_21.detach(), 0), False) - log_d(d(x_12.detach(), 1), False)
    on_target = classify(x_2, 1)
    mean = F.softmax(on_target, 1).mean(0)
    sure = entropy_by_hand(on_target) + (mean * mean.log()).sum()
    change = vat_by_hand(lambda moved: classify(moved, 1), x_2, on_target)
    on_source = F.cross_entropy(classify(x_1, 0), batch.source_labels)
    (gan + 3.0 * on_source + 0.25 * (0.7 * sure + 0.5 * change)).backward()
    play_d.step()
    adversary.requires_grad_(False)
    kl = (m_1.square().sum(1).mean() + m_2.square().sum(1).mean()) / 2
    l1 = (x_1 - x_11).abs().sum((1, 2, 3)).mean() + (x_2 - x_22).abs().sum((1, 2, 3)).mean()
    game = 2e-4 * kl + 0.1 * l1 - log_d(d(x_21, 0), True) - log_d(d(x_12, 1), True)
    kept = F.cross_entropy(classify(x_12, 1), batch.source_labels)
    (game + 0.25 * 2.0 * kept).backward()

    torch.manual_seed(5)
    terms = method.update(batch, torch.tensor(STEP))
    for name, value in (("semantic", kept), ("vat_target", change)):
        torch.testing.assert_close(terms[name], value.detach(), rtol=1e-3, atol=1e-5)
    same_parameters(nn.ModuleList([method.core.discriminator, method.head]), adversary)
    same_move([method.core.encoder, method.core.generator], generative, play_eg)


#: What must be 0 for no game to be played.
GAME: dict[str, Any] = {f"lambda_{i}": 0.0 for i in range(5)}


def test_without_a_game_the_classifier_learns_as_it_would_beside_one_of_no_weight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {**GAME, **TAUGHT, "confidence": SURE[False], "lambda_information": 0.7}
    alone, beside = unit(**settings), unit(**settings)
    untouched = copy.deepcopy([alone.core.generator, alone.core.discriminator])
    with monkeypatch.context() as patch:
        patch.setattr(UnitConfig, "plays", True)
        terms = beside.update(batch_of(), torch.tensor(STEP))
    ours = alone.update(batch_of(), torch.tensor(STEP))
    assert ours.keys() == terms.keys() - {"gan_discriminator", "kl", "reconstruction", "gan_generator"}
    assert all(torch.equal(ours[name], terms[name]) for name in ours)
    assert alone.teacher is not None
    assert beside.teacher is not None
    for one, two in ((alone.core.encoder, beside.core.encoder), (alone.head, beside.head)):
        same_parameters(one, two)
    same_parameters(alone.teacher, beside.teacher)
    for one, two in zip([alone.core.generator, alone.core.discriminator], untouched, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


@pytest.mark.parametrize("on", [*GAME, "lambda_features", "lambda_translated", "lambda_semantic"])
def test_a_game_is_played_where_one_of_its_terms_has_a_weight(on: str) -> None:
    assert "gan_discriminator" not in unit(**GAME).update(batch_of(), torch.tensor(STEP))
    assert "gan_discriminator" in unit(**{**GAME, on: 0.1}).update(batch_of(), torch.tensor(STEP))
    assert [UnitMethod.translates(unit(**each).config) for each in (GAME, {**GAME, on: 0.1})] == [False, True]


def moved_by(settings: dict[str, Any], on: dict[str, Any]) -> set[str]:
    """Return the networks whose state after an update, running statistics too, is not what it is without a term."""
    states = []
    for each in (settings, settings | on):
        method = unit(**each)
        torch.manual_seed(5)
        method.update(batch_of(), torch.tensor(STEP))
        networks = {name: getattr(method.core, name) for name in ("encoder", "generator", "discriminator")}
        states.append({name: copy.deepcopy(n.state_dict()) for name, n in {**networks, "head": method.head}.items()})
    one, two = states
    return {name for name in one if any(not torch.equal(one[name][key], two[name][key]) for key in one[name])}


@pytest.mark.parametrize("statistics", ["per-domain", "mixed"])
@pytest.mark.parametrize(
    ("on", "moved"),
    [
        ({"lambda_semantic": 2.0}, {"encoder", "generator"}),
        ({"lambda_semantic_back": 2.0}, {"encoder", "generator"}),
        ({"lambda_information": 2.0}, {"encoder", "head"}),
        ({"lambda_entropy": 2.0}, {"encoder", "head"}),
        ({"lambda_vat_source": 2.0}, {"encoder", "head"}),
        ({"lambda_vat_target": 2.0}, {"encoder", "head"}),
        ({"refine_share": 0.5}, set()),
    ],
)
def test_a_term_moves_these_networks_and_leaves_the_others_in_the_same_bits(
    on: dict[str, Any], moved: set[str], statistics: str
) -> None:
    taught = {**TAUGHT, "confidence": SURE[False]} if "lambda_semantic_back" in on else {}
    assert moved_by({**taught, "statistics": statistics}, on) == moved


@pytest.mark.parametrize("name", ["lambda_information", "lambda_vat_source", "lambda_vat_target", "lambda_entropy"])
def test_on_the_discriminators_a_term_moves_them_and_the_head(name: str) -> None:
    # without the game nothing of the discriminators' move reaches what translates
    assert moved_by({"head": "discriminator", "lambda_0": 0.0}, {name: 2.0}) == {"discriminator", "head"}


def test_on_the_discriminators_the_semantic_term_moves_what_translates() -> None:
    assert moved_by({"head": "discriminator"}, {"lambda_semantic": 2.0}) == {"encoder", "generator"}


@pytest.mark.parametrize("on", [{"lambda_semantic": 2.0}, {"lambda_vat_target": 2.0}])
def test_running_statistics_follow_no_image_that_was_made(on: dict[str, Any]) -> None:
    norms = []
    for settings in ({}, on):
        method = unit(**settings)
        torch.manual_seed(5)
        method.update(batch_of(), torch.tensor(STEP))
        norms.append({name: b.clone() for name, b in method.core.encoder.named_buffers()})
    assert norms[0]
    assert all(torch.equal(norms[0][name], norms[1][name]) for name in norms[0])


def test_a_judge_that_is_held_gets_no_gradient_in_bf16_either() -> None:
    method, batch = unit(), batch_of()
    s = method.core.streams(batch.source_images, batch.target_images)
    with torch.autocast("cpu", torch.bfloat16):
        method._classify(batch.source_images, 0)  # autocast keeps the casts of the weights
        said = method._judge(s.x_12.detach().requires_grad_(), 1).sum()
    with pytest.raises(RuntimeError, match="not have been used"):
        torch.autograd.grad(said, list(method.head.parameters()))
    assert all(p.requires_grad for p in [*method.core.parameters(), *method.head.parameters()])


def test_the_teacher_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    method = unit(lambda_semantic_back=2.0, **TAUGHT)
    asked = []
    teach = method._teach

    def teach_and_count(batch: Batch) -> Tensor:
        asked.append(batch)
        return teach(batch)

    monkeypatch.setattr(method, "_teach", teach_and_count)
    method.update(batch_of(), torch.tensor(STEP))
    assert len(asked) == 1


def test_averaged_weights_classify_both_domains() -> None:
    method = unit(average_decay=0.12)
    average = copy.deepcopy([method.core.encoder, method.head])
    for step in (0, 1):
        method.update(batch_of(step), torch.tensor(step))
        for mean, network in zip(average, [method.core.encoder, method.head], strict=True):
            average_by_hand(mean, network, (0.1, 0.12)[step])
    assert method.averages is not None
    for ours, by_hand in zip(method.averages.networks, average, strict=True):
        same_parameters(ours, by_hand)
    method.eval()
    images = torch.rand(4, 1, 16, 16)
    encoder, head = method.averages.networks
    for source in (False, True):
        features, logits = method.outputs(images, source=source)
        assert torch.equal(features, encoder([(images, 0 if source else 1)])[0][0])
        assert torch.equal(logits, head(features))
        assert not torch.allclose(features, method.core.encoder([(images, 0 if source else 1)])[0][0])


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"average_decay": 0.99}, "lambda_teacher"),
        ({"average_decay": 1.0, "lambda_teacher": 0.0}, "average_decay"),
        ({"alignment": 1.0}, "alignment"),
        ({"alignment": 0.9, "lambda_teacher": 0.0}, "lambda_teacher"),
        ({"lambda_semantic_back": 1.0, "lambda_teacher": 0.0}, "lambda_semantic_back"),
        ({"refine_share": 1.0}, "refine_share"),
        ({"game_share": 0.0}, "game_share"),
        ({"game_share": 0.5, "head": "discriminator"}, "head"),
        ({"plain_game": True, "head": "discriminator"}, "plain_game"),
        ({"strong_views": True, "head": "discriminator"}, "strong_views"),
        ({"own_encoder": 1}, "own_first"),
        ({"own_discriminator": -1}, "own_first"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], names: str) -> None:
    with pytest.raises(UserError, match=names):
        UnitConfig(**settings)

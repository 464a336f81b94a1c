"""One update of each method, made again by hand in plain torch: every parameter and every reported term compared."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from uda.data.batches import Batch
from uda.errors import UserError
from uda.methods import METHODS, TaskShape
from uda.methods.strong_augmentation import strongly_augment
from uda.methods.unit import AUTHORS, UnitConfig, UnitMethod
from uda.metrics.validators import VALIDATORS
from uda.unit.core import Streams

TASK = TaskShape((1, 16, 16), (1, 16, 16), 3, 10)
#: What the teachers of these tests are sure of: some images, not all.
ENCODER_SURE, DISCRIMINATOR_SURE = 0.378, 0.46


def batch_of(seed: int = 0) -> Batch:
    torch.manual_seed(seed)
    return Batch(
        torch.rand(6, 1, 16, 16) * 2 - 1,
        torch.tensor([0, 1, 2, 0, 1, 2]),
        torch.rand(5, 1, 16, 16) - 0.5,
        torch.arange(5),
        torch.rand(5, 1, 16, 16) - 0.5,
    )


def with_placed(batch: Batch) -> Batch:
    """Return a batch whose images, as they were placed, are others than as they are: mirrored ones."""
    return replace(batch, source_placed=batch.source_images.flip(3), target_placed=batch.target_images.flip(2))


def build(name: str, **settings: Any) -> Any:
    torch.manual_seed(1)
    return METHODS[name](METHODS[name].Config(**settings), TASK)


def same_parameters(one: nn.Module, two: nn.Module) -> None:
    for (name, a), (_, b) in zip(one.state_dict().items(), two.state_dict().items(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6, msg=name)


def adam(parameters: Any, config: Any) -> torch.optim.Adam:
    return torch.optim.Adam(
        parameters, lr=config.learning_rate, betas=(config.beta_1, config.beta_2), weight_decay=config.weight_decay
    )


def test_methods_name_the_validators_that_they_train_on() -> None:
    named = {name: method.trains_on(method.Config()) for name, method in METHODS.items()}
    assert {validator for names in named.values() for validator in names} <= set(VALIDATORS)
    assert named["source-only"] == named["unit"] == named["fixmatch"] == ()
    # the mutual information is the sum of the first two, and what maximises it has the largest nuclear norm too
    sure_and_diverse = ("entropy", "diversity", "information-maximization", "bnm")
    assert named["shot"] == named["im"] == named["bnm"] == sure_and_diverse
    assert named["dirt-t"] == named["vada"] == ("entropy",)
    for config in (
        UnitConfig(refine_share=0.2),
        UnitConfig(lambda_information=0.1),
        UnitConfig(refine_share=0.2, lambda_entropy=1.0),
    ):
        assert UnitMethod.trains_on(config) == sure_and_diverse
    assert UnitMethod.trains_on(UnitConfig(lambda_entropy=1.0)) == ("entropy",)
    for name, weight in (("im", "lambda_information"), ("bnm", "lambda_bnm"), ("vada", "lambda_target")):
        assert METHODS[name].trains_on(METHODS[name].Config(**{weight: 0.0})) == ()


def test_source_only_is_cross_entropy_on_the_source() -> None:
    method, batch = build("source-only", width=2), batch_of()
    networks = torch.nn.Sequential(method.backbone, method.head)
    by_hand = copy.deepcopy(networks)
    optimiser = adam(by_hand.parameters(), method.config)
    loss = F.cross_entropy(by_hand(batch.source_images), batch.source_labels)
    loss.backward()
    optimiser.step()
    terms = method.update(batch, torch.tensor(0))
    torch.testing.assert_close(terms["classification"], loss.detach())
    same_parameters(networks, by_hand)


def test_target_only_reads_labels_by_index_through_its_door() -> None:
    method, batch = build("target-only", width=2), batch_of()
    with pytest.raises(UserError, match="target labels"):
        method.update(batch, torch.tensor(0))
    labels = torch.tensor([2, 1, 0, 1, 2])
    method.receive_target_labels(labels)
    loss = F.cross_entropy(method.head(method.backbone(batch.target_images)), labels)
    torch.testing.assert_close(method.update(batch, torch.tensor(0))["classification"], loss.detach())


def test_the_door_is_shut_for_all_other_methods() -> None:
    for name in METHODS:
        if name != "target-only":
            with pytest.raises(UserError, match="without target labels"):
                build(name, width=2).receive_target_labels(torch.zeros(5, dtype=torch.long))


def log_d(verdict: torch.Tensor, real: bool) -> torch.Tensor:
    return F.log_softmax(verdict, 1)[:, int(real)].mean()


def by_hand_streams(
    core: Any, x_1: torch.Tensor, x_2: torch.Tensor, n_1: int = 6, n_2: int = 5
) -> tuple[torch.Tensor, ...]:
    """Codes and the four decodings of the first images, in the order in which the core draws its noise."""
    (m_1, s_1), (m_2, s_2) = core.encoder([(x_1, 0), (x_2, 1)])
    one, two = torch.ones(()), torch.ones(())
    z_1 = m_1[:n_1] + (one if s_1 is None else s_1[:n_1]) * torch.randn_like(m_1[:n_1])
    z_2 = m_2[:n_2] + (two if s_2 is None else s_2[:n_2]) * torch.randn_like(m_2[:n_2])
    h = core.generator.high(torch.cat([z_1, z_2]))
    in_1, in_2 = core.generator.low(h, 0), core.generator.low(h, 1)
    return m_1, s_1, m_2, s_2, in_1[:n_1], in_1[n_1:], in_2[:n_1], in_2[n_1:]


def by_hand_teaching(
    student: torch.Tensor, teacher: torch.Tensor, confidence: float, teaching: str = "probabilities"
) -> tuple[torch.Tensor, ...]:
    """What is taught, the share of images that the teacher is sure of (some, not all), and class balance."""
    p, q = F.softmax(student, 1), F.softmax(teacher.detach(), 1)
    sure = [i for i in range(5) if q[i].max() > confidence]
    assert 0 < len(sure) < 5
    if teaching == "classes":
        agreement = torch.stack([-torch.log(p[i, q[i].argmax()]) for i in sure]).sum() / 5
    else:
        agreement = torch.stack([((p[i] - q[i]) ** 2).mean() for i in sure]).sum() / 5
    balance = F.binary_cross_entropy(p.mean(0), torch.full((3,), 1 / 3), reduction="sum")
    return agreement, torch.tensor(len(sure) / 5), balance


@torch.no_grad()
def follow_by_hand(teacher: list[nn.Module], students: list[nn.Module], decay: float) -> None:
    for follower, student in zip(teacher, students, strict=True):
        for a, p in zip(follower.parameters(), student.parameters(), strict=True):
            a.mul_(decay).add_(p, alpha=1 - decay)


@pytest.mark.parametrize(
    ("share", "n_1", "n_2", "plain", "strong", "teaching"),
    [
        (1.0, 6, 5, False, False, "probabilities"),
        (0.6, 4, 3, False, True, "classes"),
        (0.6, 4, 3, True, False, "classes"),
        (1.0, 6, 5, True, True, "probabilities"),
    ],
)
def test_unit_with_encoder_head(share: float, n_1: int, n_2: int, plain: bool, strong: bool, teaching: str) -> None:
    lambdas = {f"lambda_{i}": value for i, value in enumerate((0.7, 0.2, 0.3, 0.4, 0.5))}
    settings: dict[str, Any] = {"width": 2, "dropout": False, "lambda_class": 3.0, "game_share": share, **lambdas}
    settings |= {"plain_game": plain, "strong_views": strong, "teaching": teaching}
    adaptation = {"lambda_translated": 2.0, "lambda_teacher": 9.0, "lambda_balance": 0.6, "warmup": 4}
    method = build("unit", confidence=ENCODER_SURE, teacher_decay=0.8, own_first=True, **adaptation, **settings)
    batch, core, head = batch_of(), copy.deepcopy(method.core), copy.deepcopy(method.head)
    teacher = [copy.deepcopy(core.encoder), copy.deepcopy(head)]
    play_d = adam(core.discriminator.parameters(), method.config)
    play_eg = adam([*core.encoder.parameters(), *core.generator.parameters(), *head.parameters()], method.config)
    y = batch.source_labels
    batch = with_placed(batch)
    real_1, real_2 = batch.source_images, batch.target_images
    if plain:
        real_1, real_2 = batch.source_images.flip(3), batch.target_images.flip(2)
    x_1, x_2 = real_1[:n_1], real_2[:n_2]  # what plays

    torch.manual_seed(5)
    read_2 = strongly_augment(batch.target_images) if strong else batch.target_images
    m_1, _, m_2, _, x_11, x_21, x_12, x_22 = by_hand_streams(core, batch.source_images, read_2, n_1, n_2)
    d = lambda x, domain: core.discriminator([(x, domain)])[0]  # noqa: E731
    real = log_d(d(x_1, 0), True) + log_d(d(x_2, 1), True)
    d_loss = -0.7 * (real + log_d(d(x_21.detach(), 0), False) + log_d(d(x_12.detach(), 1), False))
    play_d.zero_grad()
    d_loss.backward(retain_graph=True)
    play_d.step()

    kl_1, kl_2 = m_1.square().sum(1).mean() / 2, m_2.square().sum(1).mean() / 2
    l1 = lambda a, b: (a - b).abs().sum((1, 2, 3)).mean()  # noqa: E731
    vae = 0.2 * (kl_1 + kl_2) + 0.3 * (l1(x_1, x_11) + l1(x_2, x_22))
    gan = -0.7 * (log_d(d(x_21, 0), True) + log_d(d(x_12, 1), True))
    (m_12, _), (m_21, _) = core.encoder([(x_12, 1), (x_21, 0)], track=False)
    h = core.generator.high(torch.cat([m_12 + torch.randn_like(m_12), m_21 + torch.randn_like(m_21)]))
    x_121, x_212 = core.generator.low(h[:n_1], 0), core.generator.low(h[n_1:], 1)
    kl_12, kl_21 = m_12.square().sum(1).mean() / 2, m_21.square().sum(1).mean() / 2
    cycle = 0.4 * (kl_1 + kl_12 + kl_2 + kl_21) + 0.5 * (l1(x_1, x_121) + l1(x_2, x_212))
    classification = F.cross_entropy(head(m_1), y)
    ((code, _),) = core.encoder([(x_12.detach(), 1)], track=False)
    translated = F.cross_entropy(head(code), y[:n_1])
    shown = teacher[1](teacher[0]([(batch.target_again, 1)])[0][0])
    agreement, sure, balance = by_hand_teaching(head(m_2), shown, ENCODER_SURE, teaching)
    taught = 9.0 * agreement + 0.6 * sure * balance
    play_eg.zero_grad()
    core.discriminator.requires_grad_(False)
    (vae + gan + cycle + 3.0 * classification + 0.25 * (2.0 * translated + taught)).backward()
    play_eg.step()

    torch.manual_seed(5)
    terms = method.update(batch, torch.tensor(1))
    expected = {
        "gan_discriminator": d_loss,
        "kl": kl_1 + kl_2,
        "reconstruction": l1(x_1, x_11) + l1(x_2, x_22),
        "gan_generator": gan,
        "cycle": cycle,
        "classification": classification,
        "classification_translated": translated,
        "consistency": agreement,
        "sure": sure,
        "class_balance": balance,
    }
    assert terms.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value.detach(), rtol=1e-4, atol=1e-5)
        assert not terms[name].requires_grad
    same_parameters(method.core, core)
    same_parameters(method.head, head)
    follow_by_hand(teacher, [core.encoder, head], 0.8)
    for ours, theirs in zip(method.teacher.networks, teacher, strict=True):
        same_parameters(ours, theirs)
    method.eval()
    images = torch.rand(4, 1, 16, 16)
    assert torch.equal(method.predict(images), method.teacher.networks[1](method.features(images)))


def test_unit_learns_classes_on_the_discriminators_too() -> None:
    """The same terms, read off the discriminators' features in their move."""
    settings = {"width": 2, "dropout": False, "warmup": 4, "confidence": DISCRIMINATOR_SURE, "teacher_decay": 0.8}
    lambdas = {"lambda_class": 3.0, "lambda_translated": 2.0, "lambda_teacher": 9.0, "lambda_balance": 0.6}
    method = build("unit", head="discriminator", **settings, **lambdas)
    batch, core, head = batch_of(), copy.deepcopy(method.core), copy.deepcopy(method.head)
    teacher = [copy.deepcopy(core.discriminator), copy.deepcopy(head)]
    play_d = adam([*core.discriminator.parameters(), *head.parameters()], method.config)
    x_1, x_2 = batch.source_images, batch.target_images

    torch.manual_seed(5)
    *_, x_21, x_12, _ = by_hand_streams(core, x_1, x_2)
    read = lambda d, x, domain: d.features([(x, domain)])[0].flatten(1)  # noqa: E731
    parts = [(x_1, 0), (x_2, 1), (x_21.detach(), 0), (x_12.detach(), 1)]
    gan = -sum(log_d(core.discriminator([part])[0], i < 2) for i, part in enumerate(parts))
    on_source = F.cross_entropy(head(read(core.discriminator, x_1, 0)), batch.source_labels)
    translated = F.cross_entropy(head(read(core.discriminator, x_12.detach(), 1)), batch.source_labels)
    shown = teacher[1](read(teacher[0], batch.target_again, 1))
    agreement, sure, balance = by_hand_teaching(head(read(core.discriminator, x_2, 1)), shown, DISCRIMINATOR_SURE)
    (gan + 3.0 * on_source + 0.25 * (2.0 * translated + 9.0 * agreement + 0.6 * sure * balance)).backward()
    play_d.step()

    torch.manual_seed(5)
    terms = method.update(batch, torch.tensor(1))
    for name, value in (("classification_translated", translated), ("consistency", agreement), ("sure", sure)):
        torch.testing.assert_close(terms[name], value.detach(), rtol=1e-4, atol=1e-5)
    same_parameters(method.core.discriminator, core.discriminator)
    same_parameters(method.head, head)
    follow_by_hand(teacher, [core.discriminator, head], 0.8)
    for ours, theirs in zip(method.teacher.networks, teacher, strict=True):
        same_parameters(ours, theirs)


def test_unit_2017_on_the_discriminator_head() -> None:
    """The authors' update: reconstructions are adversarial too; squared errors; feature matching in D."""
    method = build("unit", **{**AUTHORS, "width": 2, "discriminator_width": 2, "dropout": False})
    # as many images of each domain: their code takes the mean over both domains' verdicts
    batch = replace(batch_of(), target_images=torch.rand(6, 1, 16, 16) - 0.5)
    core, head = copy.deepcopy(method.core), copy.deepcopy(method.head)
    play_d = adam([*core.discriminator.parameters(), *head.parameters()], method.config)
    play_eg = adam([*core.encoder.parameters(), *core.generator.parameters()], method.config)
    # Adam's first step is the gradient's sign, which rounding decides where the gradient is hardly more than that
    for optimiser in (play_d, play_eg, method.play_d, method.play_eg):
        optimiser.param_groups[0]["eps"] = 1e-6
    x_1, x_2 = batch.source_images, batch.target_images

    torch.manual_seed(5)
    m_1, s_1, m_2, s_2, x_11, x_21, x_12, x_22 = by_hand_streams(core, x_1, x_2, 6, 6)
    d = core.discriminator

    def judged(one: torch.Tensor, two: torch.Tensor, real: int) -> torch.Tensor:
        return F.cross_entropy(torch.cat([d([(one, 0)])[0], d([(two, 1)])[0]]), torch.full((12,), real))

    generated = judged(x_21.detach(), x_12.detach(), 0) + judged(x_11.detach(), x_22.detach(), 0)
    gan_d = judged(x_1, x_2, 1) + 0.5 * generated
    classification = F.cross_entropy(head(d.features([(x_1, 0)])[0].flatten(1)), batch.source_labels)
    fakes = (x_21, 0), (x_11, 0), (x_12, 1), (x_22, 1)
    f_21, f_11, f_12, f_22 = (d.features([(x.detach(), domain)])[0].flatten(1) for x, domain in fakes)
    matching = (f_12 - f_11).square().sum(1).mean() + (f_21 - f_22).square().sum(1).mean()
    (gan_d + 10 * classification + 1e-4 * matching).backward()
    play_d.step()

    kl = torch.stack(
        [(m.square() + s.square() - torch.log(s.square())).sum(1).mean() for m, s in ((m_1, s_1), (m_2, s_2))]
    ).sum()
    squared = (x_1 - x_11).square().sum((1, 2, 3)).mean() + (x_2 - x_22).square().sum((1, 2, 3)).mean()
    gan_g = judged(x_21, x_12, 1) + judged(x_11, x_22, 1)
    core.discriminator.requires_grad_(False)
    play_eg.zero_grad()
    (gan_g + 1e-4 * kl + 1e-3 * squared).backward()
    play_eg.step()

    torch.manual_seed(5)
    terms = method.update(batch, torch.tensor(0))
    torch.testing.assert_close(terms["gan_discriminator"], gan_d.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(terms["feature_matching"], matching.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(terms["gan_generator"], gan_g.detach(), rtol=1e-4, atol=1e-5)
    same_parameters(method.core, core)
    same_parameters(method.head, head)


def test_the_second_move_sees_what_the_first_left_in_bf16_too(monkeypatch: pytest.MonkeyPatch) -> None:
    method = build("unit", width=4, dropout=False, learning_rate=0.1)
    judge: Callable[[Streams], torch.Tensor] = method._gan_generators
    judged = []

    def judge_and_remember(streams: Streams) -> torch.Tensor:
        judged.append(streams)
        return judge(streams)

    monkeypatch.setattr(method, "_gan_generators", judge_and_remember)
    with torch.autocast("cpu", torch.bfloat16):
        terms = method.update(batch_of(), torch.tensor(0))
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(terms["gan_generator"], judge(judged[0]).detach())


@pytest.mark.parametrize("name", sorted(METHODS))
def test_no_update_waits_for_the_device_or_keeps_the_graph(name: str) -> None:
    method = build(name, width=2)
    if method.sees_target_labels:
        method.receive_target_labels(torch.zeros(5, dtype=torch.long))
    terms = method.update(batch_of(), torch.tensor(0))
    assert terms
    assert all(isinstance(t, torch.Tensor) and t.ndim == 0 and not t.requires_grad for t in terms.values())
    images = torch.rand(4, 1, 16, 16)
    assert method.predict(images).shape == (4, 3)
    assert method.features(images).shape[0] == 4

"""The contestants of the race of UNITs make the same update, and the race can be run."""

import json
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest
import torch
import unit as race_of_units
from authors_unit import AuthorsUnit
from bare_unit import CLASSIFICATION, FEATURES, GAME, KL, RECONSTRUCTION, BareUnit
from torch import Tensor, nn

from uda.data.batches import Batch
from uda.methods import TaskShape
from uda.methods.unit import AUTHORS, UnitConfig, UnitMethod

WIDTH, N, SHAPE = 2, 8, (3, 32, 32)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that share a core with others wait for each other at each of a tiny network's many operators."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def ours() -> UnitMethod:
    torch.manual_seed(1)
    recipe = {**AUTHORS, "width": WIDTH, "discriminator_width": WIDTH, "dropout": False}
    return UnitMethod(UnitConfig(**recipe), TaskShape(SHAPE, SHAPE, 10, 10))


def batch_of() -> Batch:
    torch.manual_seed(2)
    return Batch(torch.rand(N, *SHAPE) * 2 - 1, torch.arange(N), torch.rand(N, *SHAPE) * 2 - 1, torch.arange(N))


def without_dropout(*networks: nn.Module) -> None:
    for network in networks:
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0


@torch.no_grad()
def copy(source: Iterable[Tensor], destination: Iterable[Tensor]) -> None:
    for a, b in zip(source, destination, strict=True):
        b.copy_(a.view(b.shape))


def in_bare_order(method: UnitMethod) -> list[nn.Parameter]:
    core = method.core
    return [
        p for network in (core.encoder, core.generator, core.discriminator, method.head) for p in network.parameters()
    ]


def parameters_of(bare: BareUnit) -> list[nn.Parameter]:
    return [p for network in (bare.encoder, bare.generator, bare.discriminator) for p in network.parameters()]


def test_the_bare_loop_makes_our_update() -> None:
    weights = [AUTHORS[f"lambda_{name}"] for name in ("0", "1", "2", "class", "features")]
    assert weights == [GAME, KL, RECONSTRUCTION, CLASSIFICATION, FEATURES]
    method, batch = ours(), batch_of()
    images = (batch.source_images, batch.source_labels, batch.target_images)
    bare = BareUnit(3, WIDTH, repeat(images), torch.device("cpu"), bf16=False)
    copy(in_bare_order(method), parameters_of(bare))
    without_dropout(bare.discriminator)
    # Adam's first step is the gradient's sign, which rounding decides where the gradient is hardly more than that
    for optimiser in (method.play_d, method.play_eg, bare.play_d, bare.play_eg):
        optimiser.param_groups[0]["eps"] = 1e-6
    for step in range(2):
        torch.manual_seed(step)
        theirs = bare.step()
        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        assert terms.keys() == theirs.keys()
        for name, term in terms.items():
            torch.testing.assert_close(theirs[name], term, rtol=1e-4, atol=1e-5, msg=name)
        for a, b in zip(in_bare_order(method), parameters_of(bare), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def authors() -> AuthorsUnit:
    torch.manual_seed(3)
    images = torch.randint(256, (2, 12, *SHAPE), dtype=torch.uint8)
    labels = torch.randint(10, (12,))
    return AuthorsUnit(images[0], labels, images[1], WIDTH, N, torch.device("cpu"))


def test_the_authors_structure_starts_from_the_same_losses() -> None:
    """The second move draws noise of its own there, so the first is compared."""
    method, batch, peer = ours(), batch_of(), authors()
    encoder, generator, core = method.core.encoder, method.core.generator, method.core
    halves = chain.from_iterable(
        chain(private.parameters(), image.parameters())
        for private, image in zip(generator.private, generator.image, strict=True)
    )
    copy(chain(encoder.parameters(), generator.shared.parameters(), halves), peer.generative.parameters())
    copy(chain(core.discriminator.parameters(), method.head.parameters()), peer.discriminative.parameters())
    without_dropout(peer.discriminative)
    torch.manual_seed(5)
    theirs = peer.update_discriminative(batch.source_images, batch.source_labels, batch.target_images)
    torch.manual_seed(5)
    terms = method.update(batch, torch.tensor(0))
    for name, term in theirs.items():
        torch.testing.assert_close(term.detach(), terms[name], rtol=1e-4, atol=1e-5, msg=name)


def test_the_authors_structure_has_our_parameters_and_finite_losses() -> None:
    method, peer = ours(), authors()
    assert sum(p.numel() for p in peer.parameters()) == sum(p.numel() for p in method.parameters())
    before = [p.clone() for p in peer.parameters()]
    for _ in range(11):
        peer.step()
    assert peer.logged.keys() == method.update(batch_of(), torch.tensor(0)).keys()
    assert all(torch.isfinite(torch.tensor(list(peer.logged.values()))))
    assert all(not torch.equal(p, q) for p, q in zip(peer.parameters(), before, strict=True))


def test_the_race_writes_what_it_saw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--widths", "2", "--rounds", "1", "--steps", "1", "--device", "cpu", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["unit.py", *options])
    monkeypatch.setattr(race_of_units, "BATCH", 4)
    race_of_units.main()
    assert "bare loop" in (tmp_path / "unit.md").read_text()
    (section,) = json.loads((tmp_path / "unit.json").read_text())["timings"].values()
    assert [row["name"] for row in section][:3] == ["ours", "bare loop", "authors' structure"]

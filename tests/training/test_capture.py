"""Updates on a CUDA device: a replayed graph does what eager ones do, waits for nothing, and disturbs no other run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.small import FURTHER, small
from tests.training.test_run import config_of, train_in_pieces, weights
from uda.methods import METHODS
from uda.training.capture import EAGER_UPDATES, CapturedUpdates, make_updates, prepare_optimisers
from uda.training.run import train, train_side_by_side
from uda.training.starts import read_starts
from uda.training.updates import Updates

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]

#: Every method that is captured, and UNIT with what is off by default.
CAPTURED = [*((name, {}) for name, method in sorted(METHODS.items()) if not method.waits), *FURTHER]
STEPS = 24


@pytest.fixture(autouse=True)
def _the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let convolutions add up in the same order each time, in fp32."""
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def updates_of(name: str, settings: dict[str, Any], captured: bool, seed: int = 1) -> Updates:
    method, batches = small(name, settings, STEPS, device="cuda", seed=seed, padding="reflection")
    if captured:
        return make_updates(method, batches, "fp32", seed)
    prepare_optimisers(method, torch.device("cuda"))
    return Updates(method, batches, "fp32", seed)


def make_all(updates: Updates) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    for step in range(STEPS):
        updates.make(step)
    return updates.means(STEPS), {key: value.clone() for key, value in updates.method.state_dict().items()}


@pytest.mark.parametrize(("name", "settings"), CAPTURED)
def test_captured_updates_are_the_eager_ones(name: str, settings: dict[str, Any]) -> None:
    captured = updates_of(name, settings, captured=True)
    assert isinstance(captured, CapturedUpdates)
    terms, state = make_all(captured)
    eager_terms, eager_state = make_all(updates_of(name, settings, captured=False))
    assert terms == pytest.approx(eager_terms, rel=1e-3, abs=1e-5)
    for key, value in eager_state.items():
        torch.testing.assert_close(state[key], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("name", "settings"), CAPTURED)
def test_a_replay_waits_for_nothing(name: str, settings: dict[str, Any]) -> None:
    updates = updates_of(name, settings, captured=True)
    quiet = range(EAGER_UPDATES + 1, STEPS // 2 - 2)  # in the first stage, the graph is there
    for step in range(quiet.start):
        updates.make(step)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in quiet:
            updates.make(step)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_two_runs_whose_updates_overlap_do_not_disturb_each_other() -> None:
    alone = [make_all(updates_of("unit", {}, captured=True, seed=seed))[1] for seed in (1, 2)]
    both = [updates_of("unit", {}, captured=True, seed=seed) for seed in (1, 2)]
    for step in range(STEPS):
        for updates in both:
            updates.make(step)
    for updates, expected in zip(both, alone, strict=True):
        updates.means(STEPS)
        for key, value in expected.items():
            torch.testing.assert_close(updates.method.state_dict()[key], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("overrides", [{}, {"refine_share": 0.5, "lambda_vat_target": 1.0, "precision": "bf16"}])
def test_a_run_on_the_device_is_resumed_where_it_was(
    overrides: dict[str, object], pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of("unit", pair, **overrides)
    config = replace(config, steps=30, evaluate_every=10)
    whole = weights(train(config, tmp_path, tmp_path / "whole", device="cuda", quiet=True))
    pieces = weights(train_in_pieces(config, tmp_path, monkeypatch))
    for key, value in whole.items():
        torch.testing.assert_close(pieces[key], value, rtol=1e-2, atol=1e-2)


def test_seeds_side_by_side_on_the_device_give_what_each_gives_alone(pair: tuple[str, str], tmp_path: Path) -> None:
    configs = [replace(config_of("unit", pair), seed=seed, steps=30, evaluate_every=10) for seed in (1, 2)]
    together = train_side_by_side(configs, tmp_path, tmp_path / "together", device="cuda", quiet=True)
    for config, folder in zip(configs, together, strict=True):
        alone = weights(train(config, tmp_path, tmp_path / "alone", device="cuda", quiet=True))
        for key, value in weights(folder).items():
            torch.testing.assert_close(value, alone[key], rtol=1e-2, atol=1e-2)


def test_the_kept_start_on_the_device_is_a_plain_run_of_its_seed(pair: tuple[str, str], tmp_path: Path) -> None:
    config = replace(config_of("unit", pair, starts=3, start_steps=5), steps=30, evaluate_every=10)
    folder = train(config, tmp_path, tmp_path / "runs", device="cuda", quiet=True)
    starts = read_starts(folder)
    assert starts is not None
    plain = replace(config, seed=starts.seed, starts=1, start_steps=0)
    alone = weights(train(plain, tmp_path, tmp_path / "plain", device="cuda", quiet=True))
    for key, value in weights(folder).items():
        torch.testing.assert_close(value, alone[key], rtol=1e-2, atol=1e-2)

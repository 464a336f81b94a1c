"""Runs side by side: one that breaks down ends no other, in one process or in several."""

import os
import signal
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.breaking import breaking
from tests.training.test_run import config_of, identical, log_of, weights
from uda.methods import Method
from uda.sweeps import runner
from uda.sweeps.runner import Outcome, Workplace, sweep
from uda.training import run
from uda.training.checkpoint import read_checkpoint
from uda.training.config import RunConfig
from uda.training.job import Job, open_job
from uda.training.record import is_finished
from uda.training.run import NotFiniteRunsError, train, train_side_by_side
from uda.training.updates import Updates

MAKE = runner._make


def seeds_of(pair: tuple[str, str], count: int, **overrides: object) -> list[RunConfig]:
    return [replace(config_of("source-only", pair, **overrides), seed=seed) for seed in range(1, count + 1)]


def test_the_others_are_finished_where_some_are_not_finite(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = seeds_of(pair, 4)
    alone = [train(config, tmp_path, tmp_path / "alone", quiet=True) for config in configs]
    runs = tmp_path / "together"
    monkeypatch.setattr(Updates, "means", breaking({2, 3}, after=3))
    for _ in range(2):
        with pytest.raises(NotFiniteRunsError) as caught:
            train_side_by_side(configs, tmp_path, runs, quiet=True)
        assert str(caught.value) == "seed 2: broken by 2; seed 3: broken by 3"
        assert [is_finished(runs, config) for config in configs] == [True, False, False, True]
    for config, folder in zip(configs, alone, strict=True):
        if is_finished(runs, config):
            assert identical(weights(runs / config.name), weights(folder))
        else:
            assert [line["step"] for line in log_of(runs / config.name)] == [2]
    monkeypatch.undo()
    for folder, other in zip(train_side_by_side(configs, tmp_path, runs, quiet=True), alone, strict=True):
        assert identical(weights(folder), weights(other))


def test_a_source_stage_that_breaks_down_behind_its_last_evaluation_ends_no_other(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its terms are finite, and the weights that they leave are not: the next step is that of the map."""
    make = Updates.make

    def poisoned(updates: Updates, step: int) -> None:
        make(updates, step)
        if (updates.seed, step) == (2, 4):
            for parameter in updates.method.parameters():
                parameter.data.fill_(float("nan"))

    monkeypatch.setattr(Updates, "make", poisoned)
    configs = [replace(config_of("tca", pair), seed=seed) for seed in (1, 2, 3)]
    with pytest.raises(NotFiniteRunsError) as caught:
        train_side_by_side(configs, tmp_path, tmp_path, quiet=True)
    assert str(caught.value).startswith(
        "seed 2: the features of which tca finds its map at step 5 were not finite after the source stage: the run "
        "stops, its last checkpoint stays"
    )
    assert [is_finished(tmp_path, config) for config in configs] == [True, False, True]
    assert read_checkpoint(tmp_path / configs[1].name / "checkpoint.pt")["step"] == 4


def test_all_are_waited_for_before_their_memory_is_given_to_others(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[int] = []
    monkeypatch.setattr(Updates, "wait", lambda updates: waited.append(updates.seed))
    monkeypatch.setattr(Updates, "means", breaking({2}))
    with pytest.raises(NotFiniteRunsError):
        train_side_by_side(seeds_of(pair, 3), tmp_path, tmp_path / "runs", quiet=True)
    assert waited == [1, 2, 3, 2]


@pytest.mark.parametrize("overrides", [{}, {"starts": 2, "start_steps": 2}])
def test_networks_of_those_that_broke_down_together_are_gone_when_each_goes_on_alone(
    overrides: dict[str, object], pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[weakref.ref[Method]] = []
    there: list[int] = []

    def opened(*arguments: Any) -> Job:
        there.append(sum(method() is not None for method in built))
        job = open_job(*arguments)
        built.append(weakref.ref(job.method))
        return job

    monkeypatch.setattr(run, "open_job", opened)
    monkeypatch.setattr(Updates, "means", breaking({2, 2 + 2**20}))
    with pytest.raises(NotFiniteRunsError):
        train_side_by_side(seeds_of(pair, 2, **overrides), tmp_path, tmp_path / "runs", quiet=True)
    assert set(there[:2]) == {0, 1}  # together
    assert set(there[2:4]) == {0}  # each alone


def test_a_run_none_of_whose_starts_is_finite_ends_no_other(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = seeds_of(pair, 2, starts=2, start_steps=2)
    monkeypatch.setattr(Updates, "means", breaking({1, 1 + 2**20}, after=0))
    with pytest.raises(NotFiniteRunsError, match=r"^seed 1: .* none of its 2 starts came to step 2"):
        train_side_by_side(configs, tmp_path, tmp_path / "runs", quiet=True)
    assert [is_finished(tmp_path / "runs", config) for config in configs] == [False, True]


def test_a_sweep_says_of_each_run_what_was_wrong_with_it(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = seeds_of(pair, 3)
    monkeypatch.setattr(Updates, "means", breaking({1, 3}, after=3))
    monkeypatch.setattr(runner, "together", lambda configs, device: [list(configs)])
    swept = sweep(configs, Workplace(tmp_path, tmp_path / "runs", "cpu"), None, lambda line: None)
    assert [(config.seed, reason) for config, reason in swept.failures] == [(1, "broken by 1"), (3, "broken by 3")]
    assert [result.seed for result in swept.results] == [2]
    assert (tmp_path / "runs" / configs[2].name / "error.txt").read_text() == "broken by 3\n"


def make_or_be_killed(group: list[RunConfig], place: Workplace) -> Outcome:
    if group[0].seed == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return MAKE(group, place)


def test_a_sweep_goes_on_where_a_process_is_killed(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = seeds_of(pair, 4)
    place = Workplace(tmp_path, tmp_path / "runs", "cpu", jobs=2)
    monkeypatch.setattr(runner, "_make", make_or_be_killed)
    said: list[str] = []
    swept = sweep(configs, place, tmp_path / "runs.csv", said.append)
    assert [result.seed for result in swept.results] == [1, 3, 4]
    ((config, reason),) = swept.failures
    assert config == configs[1]
    assert reason == "its process was killed, perhaps for memory; give the command again"
    assert f"[2/4] source-only seed 2: failed: {reason}" in said
    monkeypatch.undo()
    again = sweep(configs, replace(place, jobs=1), tmp_path / "runs.csv", said.append)
    assert not again.failures
    assert again.trained == {configs[1].hash}

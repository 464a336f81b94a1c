"""A sweep beside another process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import write_recipe
from uda.sweeps.recipe import Recipe, load_recipe
from uda.sweeps.runner import Workplace, sweep
from uda.training.claim import claim
from uda.training.run import train


@pytest.fixture
def recipe(tmp_path: Path, pair: tuple[str, str]) -> Recipe:
    return load_recipe(write_recipe(tmp_path / "bars.toml", pair, '[[runs]]\nmethod = "source-only"\n'))


def test_what_another_process_finishes_meanwhile_is_a_result_and_not_left_to_it(recipe: Recipe, tmp_path: Path) -> None:
    first, second = recipe.configs
    place = Workplace(tmp_path, tmp_path / "runs", device="cpu")
    lines = []

    def say(line: str) -> None:
        lines.append(line)
        if line == "[2/2] source-only seed 2: 4 steps":
            train(first, tmp_path, tmp_path / "runs", device="cpu", quiet=True)

    with claim(place.runs / first.name):
        swept = sweep([first, second], place, tmp_path / "runs.csv", say)
    assert [result.seed for result in swept.results] == [1, 2]
    assert (swept.busy, swept.failures, swept.trained) == ([], [], {second.hash})
    assert "[1/2] source-only seed 1: another process is at it" in lines
    assert lines[-1].startswith("[1/2] source-only seed 1: ")
    assert lines[-1].endswith("% before")


def test_what_is_still_another_processs_is_left_to_it(recipe: Recipe, tmp_path: Path) -> None:
    place = Workplace(tmp_path, tmp_path / "runs", device="cpu")
    with claim(place.runs / recipe.configs[0].name):
        swept = sweep(recipe.configs, place, None, lambda line: None)
    assert swept.busy == [recipe.configs[0]]


def test_nothing_is_written_into_the_folder_of_a_finished_run(recipe: Recipe, tmp_path: Path) -> None:
    config, place = recipe.configs[0], Workplace(tmp_path, tmp_path / "runs", device="cpu")
    folder = train(config, tmp_path, place.runs, device="cpu", quiet=True)

    def stamps() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())}

    before = stamps()
    swept = sweep([config], place, None, lambda line: None)
    assert ([result.seed for result in swept.results], swept.trained) == ([config.seed], set())
    assert stamps() == before


def test_a_finished_run_that_does_not_say_what_was_run_is_no_row(recipe: Recipe, tmp_path: Path) -> None:
    config, place = recipe.configs[0], Workplace(tmp_path, tmp_path / "runs", device="cpu")
    (train(config, tmp_path, place.runs, device="cpu", quiet=True) / "run.json").unlink()
    swept = sweep([config], place, tmp_path / "runs.csv", lambda line: None)
    assert swept.results == []
    assert "has no run.json" in swept.failures[0][1]
    assert not (tmp_path / "runs.csv").exists()

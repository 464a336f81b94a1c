"""What translations keep, run by run: counted by finished judges alone, once, in a file that stays whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from uda.errors import UserError
from uda.evaluation.kept import measure_classes_kept
from uda.sweeps import translations
from uda.sweeps.recipe import Recipe, load_recipe
from uda.sweeps.translations import measure_kept, read_kept
from uda.training.run import train

HEADER = "config_hash,images,n,kept,reader\n"
LINE = "abc,source-target,9,33.3,Target only\n"
RECIPE = """
source = '{}'
target = '{}'
seeds = [1]
steps = 4
batch_size = 8
evaluate_every = 2
settings = {{width = 2}}
runs = [{{method = "target-only"}}, {{method = "source-only"}}, {{method = "unit"}}]
"""


@pytest.fixture
def recipe(tmp_path: Path, pair: tuple[str, str]) -> Recipe:
    """A recipe of three runs, all of them finished."""
    path = tmp_path / "bars.toml"
    path.write_text(RECIPE.format(*pair))
    recipe = load_recipe(path)
    for config in recipe.configs:
        train(config, tmp_path, tmp_path / "runs", device="cpu", quiet=True)
    return recipe


def measure(recipe: Recipe, folder: Path) -> str:
    """Let finished runs be read, and return the file; nothing where there is none."""
    path = folder / "kept.csv"
    assert measure_kept(recipe, recipe.configs, folder / "runs", folder, path) == []
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("judge", [0, 1])
def test_a_judge_that_is_not_finished_reads_nothing(judge: int, recipe: Recipe, tmp_path: Path) -> None:
    result = tmp_path / "runs" / recipe.configs[judge].name / "result.json"
    result.rename(tmp_path / "result.json")
    assert measure(recipe, tmp_path) == ""
    (tmp_path / "result.json").rename(result)
    assert measure(recipe, tmp_path).count("\n") == 1 + 4


def test_a_run_that_another_process_reads_meanwhile_is_recorded_once(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(*arguments: Any) -> Any:
        monkeypatch.undo()
        measure(recipe, tmp_path)
        return measure_classes_kept(*arguments)

    monkeypatch.setattr(translations, "measure_classes_kept", meanwhile)
    assert measure(recipe, tmp_path).count("\n") == 1 + 4


def test_what_is_there_stays_and_a_last_line_without_an_end_gets_one(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "kept.csv").write_text(HEADER + LINE.rstrip("\n"))
    assert measure(recipe, tmp_path).startswith(HEADER + LINE)
    assert len(read_kept(tmp_path / "kept.csv")) == 1 + 4


def test_the_mark_that_spreadsheets_put_first_is_read(tmp_path: Path) -> None:
    path = tmp_path / "kept.csv"
    path.write_text(HEADER + LINE, encoding="utf-8-sig")
    assert read_kept(path) == {("abc", "source-target"): 33.3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + HEADER + LINE, "line 2: could not convert string to float: 'kept'; remove the lines of that run"),
        (HEADER + LINE + "abc,source-target-sou", "line 3: not enough values"),
        (LINE, f"line 1: must be {HEADER.strip()}"),
        ("", "line 1: must be"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "kept.csv"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_kept(path)
    assert str(caught.value).startswith(f"{path}, {said}")

"""``uda benchmark`` from the command line: runs once, resumes, shares, survives a failure, writes its results."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import torch

from tests.conftest import Uda, refused, write_recipe
from uda.evaluation.agreement import measure_agreement
from uda.evaluation.history import read_history
from uda.evaluation.kept import measure_classes_kept
from uda.evaluation.runs import read_csv
from uda.metrics.predicted import rare_classes
from uda.sweeps import swaps
from uda.sweeps.recipe import load_recipe
from uda.sweeps.swaps import swap_warnings
from uda.training.claim import claim
from uda.training.run import train
from uda.training.starts import read_starts


@pytest.fixture
def recipe(tmp_path: Path, pair: tuple[str, str]) -> Path:
    """Three runs of seconds: two of source-only, one of UNIT."""
    entries = '[[runs]]\nmethod = "source-only"\n[[runs]]\nmethod = "unit"\nseeds = [1]\n'
    return write_recipe(tmp_path / "bars.toml", pair, entries)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def stamps(folder: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("*/checkpoint.pt")}


def hashes(path: Path) -> Iterable[str]:
    return sorted(row.config_hash for row in read_csv(path))


def ended(output: str) -> list[str]:
    """Return the lines of runs that have just ended, in the order of the recipe."""
    return sorted(line for line in output.splitlines() if line.startswith("[") and "% in " in line)


def test_runs_once_and_writes_table_and_picture(
    uda: Uda, recipe: Path, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swaps, "ENOUGH", 100.0)  # after four steps all are wrong
    first = uda("benchmark", recipe, "--results", results)
    assert first.exit_code == 0, first.output
    written = {"runs.csv", "bars.md", "bars.tex", "bars.csv", "bars-cost.md", "bars-translations.png"}
    assert names(results) == {".lock", *written}
    assert hashes(results / "runs.csv") == sorted(config.hash for config in load_recipe(recipe).configs)
    assert "Source only" in (results / "bars.md").read_text()
    folders = [tmp_path / "runs" / config.name for config in load_recipe(recipe).configs]
    rare = [rare_classes(read_history(folder)[-1].predicted) for folder in folders]
    assert any(rare)  # after four steps
    for line, lost in zip(ended(first.stdout), rare, strict=True):
        assert line.endswith(f"; hardly predicted for the target: {', '.join(lost)}" if lost else " s")
    reader, unit, _ = (folder / "checkpoint.pt" for folder in folders)
    measured = measure_agreement([unit], "last", reader, tmp_path / "data")
    agreement, real = measured.runs[0].readings[0], measured.untranslated[0]
    assert agreement.way == (0, 1)
    assert (
        f"unit seed 1: source-only takes {agreement.kept:.0f} % of its translated source images for their class, and "
        f"{real.kept:.0f} % of the images themselves" in first.stdout
    )
    told = {config.hash for config in load_recipe(recipe).configs}, tmp_path / "runs", tmp_path / "data"
    assert len(list(swap_warnings(load_recipe(recipe), *told))) == 1
    monkeypatch.setattr(swaps, "ENOUGH", agreement.kept / real.kept)
    assert list(swap_warnings(load_recipe(recipe), *told)) == []
    made, table = stamps(tmp_path / "runs"), (results / "runs.csv").read_bytes()
    second = uda("benchmark", recipe, "--results", results)
    assert second.exit_code == 0
    assert "its translated source images" not in second.stdout
    assert second.stdout.count("% before\n") == 3
    assert stamps(tmp_path / "runs") == made
    assert (results / "runs.csv").read_bytes() == table


def test_a_run_of_several_starts_says_how_many_and_which_was_kept(
    uda: Uda, recipe: Path, results: Path, tmp_path: Path
) -> None:
    recipe.write_text(recipe.read_text().replace("steps = 4", "steps = 4\nstarts = 2\nstart_steps = 1"))
    output = uda("benchmark", recipe, "--results", results).stdout
    assert output.count(": 4 steps, 2 starts of 1\n") == 3
    for config, line in zip(load_recipe(recipe).configs, sorted(ended(output)), strict=True):
        starts = read_starts(tmp_path / "runs" / config.name)
        assert starts is not None
        assert f" s, start {starts.kept + 1} of 2" in line
    table = (results / "bars.md").read_text()
    assert "the best of 2 starts after 1 step" in table


def test_where_there_are_judges_translations_are_judged_once(
    uda: Uda, recipe: Path, results: Path, tmp_path: Path
) -> None:
    recipe.write_text(recipe.read_text() + '[[runs]]\nmethod = "target-only"\n')
    for _ in range(2):
        result = uda("benchmark", recipe, "--results", results)
        assert result.exit_code == 0, result.output
        assert (results / "classes-kept.csv").read_text().count("\n") == 1 + 4
    run, there, back = (
        next((tmp_path / "runs").glob(f"*-{name}-default-seed1-*")) / "checkpoint.pt"
        for name in ("unit", "target-only", "source-only")
    )
    kept = measure_classes_kept([run], "last", there, back, tmp_path)
    (row,) = [line for line in (results / "bars-kept.md").read_text().splitlines() if "UNIT" in line]
    assert [cell.strip() for cell in row.split("|")[3:-1]] == [
        f"{reading.kept:.2f}" for reading in kept.runs[0].readings
    ]


def test_a_checkpoint_that_this_version_cannot_read_stops_nothing(
    uda: Uda, recipe: Path, results: Path, tmp_path: Path
) -> None:
    assert uda("benchmark", recipe, "--results", results, "--methods", "source-only").exit_code == 0
    for checkpoint in (tmp_path / "runs").glob("*source-only*/checkpoint.pt"):
        values = torch.load(checkpoint, weights_only=True)
        values["model"] = {f"old.{name}": value for name, value in values["model"].items()}
        torch.save(values, checkpoint)
    result = uda("benchmark", recipe, "--results", results)
    assert result.exit_code == 0, result.output
    assert (results / "bars-translations.png").exists()


def test_two_runs_at_a_time_give_what_one_at_a_time_gives(
    uda: Uda, recipe: Path, results: Path, tmp_path: Path
) -> None:
    assert uda("benchmark", recipe, "--results", results).exit_code == 0
    both = uda("benchmark", recipe, "--results", tmp_path / "both", "--runs", tmp_path / "beside", "--jobs", 2)
    assert both.exit_code == 0, both.output
    rows = [{row.config_hash: row for row in read_csv(f / "runs.csv")} for f in (results, tmp_path / "both")]
    assert rows[0].keys() == rows[1].keys()
    assert all(rows[0][key].accuracy_last == rows[1][key].accuracy_last for key in rows[0])


def test_a_finished_run_whose_history_is_lost_stops_no_other(
    uda: Uda, recipe: Path, results: Path, tmp_path: Path
) -> None:
    assert uda("benchmark", recipe, "--results", results, "--seeds", 2).exit_code == 0
    (history,) = (tmp_path / "runs").glob("*/metrics.jsonl")
    history.unlink()
    result = uda("benchmark", recipe, "--results", results)
    assert result.exit_code == 0, result.output
    assert "[3/3] source-only seed 2: " in result.stdout
    assert result.stdout.count("% before\n") == 1
    assert len(read_csv(results / "runs.csv")) == 3


def test_an_interrupted_run_goes_on(uda: Uda, recipe: Path, results: Path, tmp_path: Path) -> None:
    uda("benchmark", recipe, "--results", results, "--methods", "source-only", "--seeds", 1)
    (row,) = read_csv(results / "runs.csv")
    (folder,) = (tmp_path / "runs").glob("*source-only*")
    (folder / "result.json").unlink()
    plan = uda("benchmark", recipe, "--dry-run").stdout.splitlines()
    assert [line.split("  ")[0].strip() for line in plan] == ["interrupted", "to do", "to do"]
    assert uda("benchmark", recipe, "--results", results, "--seeds", 1).exit_code == 0
    assert {
        found.accuracy_last for found in read_csv(results / "runs.csv") if found.config_hash == row.config_hash
    } == {row.accuracy_last}
    assert (folder / "result.json").exists()


def test_a_failed_run_stops_no_other(uda: Uda, recipe: Path, results: Path, tmp_path: Path) -> None:
    broken = load_recipe(recipe).configs[0]
    folder = tmp_path / "runs" / broken.name
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").write_bytes(b"not a checkpoint")
    result = uda("benchmark", recipe, "--results", results)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: 1 of 3 runs of bars failed (source-only seed 1: ")
    assert "Traceback" not in result.output
    assert len(read_csv(results / "runs.csv")) == 2
    assert "UNIT" in (results / "bars.md").read_text()


def test_what_another_process_is_at_is_left_to_it(uda: Uda, recipe: Path, results: Path, tmp_path: Path) -> None:
    with claim(tmp_path / "runs" / load_recipe(recipe).configs[0].name):
        result = uda("benchmark", recipe, "--results", results)
    assert result.exit_code == 0, result.output
    assert "1 runs are left to another process" in result.stdout
    assert len(read_csv(results / "runs.csv")) == 2


def test_a_run_by_uda_train_is_the_benchmarks_run(uda: Uda, recipe: Path, results: Path, tmp_path: Path) -> None:
    config = load_recipe(recipe).configs[0]
    train(config, tmp_path / "data", tmp_path / "runs", device="cpu", quiet=True)
    result = uda("benchmark", recipe, "--results", results, "--seeds", 1, "--methods", "source-only")
    assert result.stdout.startswith("[1/1] source-only seed 1: ")
    assert "% before\n" in result.stdout


def test_tables_are_made_again_from_runs_csv_alone(uda: Uda, recipe: Path, results: Path, tmp_path: Path) -> None:
    assert (
        "no finished run of the recipe's own seeds in runs.csv yet"
        in uda("benchmark", "--tables", "--results", results, recipe).stdout
    )
    uda("benchmark", recipe, "--results", results, "--methods", "source-only")
    table = (results / "bars.md").read_bytes()
    (results / "bars.md").unlink()
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    assert uda("benchmark", "--tables", "--results", results, recipe).exit_code == 0
    assert (results / "bars.md").read_bytes() == table


def test_a_seed_of_no_table_is_said_to_be_none_of_the_recipes(uda: Uda, recipe: Path, results: Path) -> None:
    result = uda("benchmark", recipe, "--results", results, "--seeds", 9, "--methods", "source-only")
    assert result.exit_code == 0, result.output
    assert [row.seed for row in read_csv(results / "runs.csv")] == [9]
    assert "bars: no finished run of the recipe's own seeds in runs.csv yet\n" in result.stdout


def test_a_run_made_again_keeps_the_recorded_row_and_says_so(uda: Uda, recipe: Path, results: Path) -> None:
    arguments = ("benchmark", recipe, "--results", results, "--methods", "source-only", "--seeds", 1)
    uda(*arguments)
    table = (results / "runs.csv").read_bytes()
    again = uda(*arguments, "--runs", results.parent / "new")
    assert (
        "keeps its own rows of 1 run that was made again here, and so do the tables: remove those rows" in again.stdout
    )
    assert (results / "runs.csv").read_bytes() == table


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--seeds", "x"), "--seeds x: give whole numbers"),
        (("--methods", "unt"), "did you mean 'unit'?"),
        (("--seeds", "2", "--methods", "unit"), "no run has one of the seeds 2 and one of the methods unit"),
        (("--seeds", "99999999999999999999"), "seed is 99999999999999999999: it must be below 2^63"),
        (("--seeds", ","), "--seeds ,: names no seed"),
        (("--tables", "--seeds", "1"), "--tables writes those of all runs: leave --seeds and --methods out"),
        (("--tables", "--methods", "unit"), "leave --seeds and --methods out"),
        (("--dry-run", "--tables"), "--dry-run writes nothing: leave --tables and --together out"),
        (("--dry-run", "--together", "digits"), "leave --tables and --together out"),
        (("--seeds", "1-2000"), "--seeds 1-2000: names more than 1,000 seeds; give fewer"),
        (("--together", "bars"), "two tables would be named bars: rename a recipe, or give another --together NAME"),
    ],
)
def test_a_wrong_selection_is_one_sentence(uda: Uda, recipe: Path, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(uda("benchmark", recipe, *arguments))


def test_a_wrong_recipe_is_one_sentence(uda: Uda, tmp_path: Path) -> None:
    assert "no such recipe" in refused(uda("benchmark", tmp_path / "none.toml"))

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.evaluation.examples import result, write_run
from uda.cli.main import cli
from uda.evaluation.histories import find_histories
from uda.evaluation.validator_report import Format, write_study
from uda.evaluation.validator_study import study_validators


def run(*arguments: object) -> str:
    done = CliRunner().invoke(cli, ["validators", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for seed in (1, 2):
        folder = write_run(tmp_path / "runs" / str(seed), result(seed=seed))
        lines = [
            {
                "step": step,
                "validators": {"entropy": 0.1 * step * (-1) ** seed, "snd": 1 / step},
                "target_test_accuracy": 20.0 * step + seed,
            }
            for step in (1, 2, 3, 4)
        ]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    write_run(tmp_path / "runs" / "3", result(seed=3), finished=False)
    return tmp_path / "runs"


def test_reports_the_study_and_names_what_is_unfinished(runs: Path) -> None:
    done = CliRunner().invoke(cli, ["validators", str(runs)])
    assert done.stdout == write_study(study_validators(find_histories([runs]).histories), "text")
    assert done.stderr == "left out: 1 unfinished (3)\n"


def test_the_study_is_remade_from_the_exported_history(tmp_path: Path, runs: Path) -> None:
    first = run(runs, "--history", tmp_path / "h.csv")
    assert run(tmp_path / "h.csv") == first
    assert len((tmp_path / "h.csv").read_text(encoding="utf-8").splitlines()) == 1 + 2 * 4


@pytest.mark.parametrize(("name", "form"), [("s.md", "md"), ("s.csv", "csv"), ("s.txt", "text")])
def test_a_files_ending_chooses_the_format(tmp_path: Path, runs: Path, name: str, form: Format) -> None:
    assert run(runs, "-o", tmp_path / "new" / name) == f"wrote {tmp_path / 'new' / name}\n"
    assert (tmp_path / "new" / name).read_text(encoding="utf-8") == run(runs, "--format", form)


def test_nothing_to_judge_by_is_an_error(tmp_path: Path) -> None:
    write_run(tmp_path / "a", result(), finished=False)
    done = CliRunner().invoke(cli, ["validators", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: there is no finished run")

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.conftest import refused
from tests.evaluation.examples import result, write_run
from uda.cli.main import cli
from uda.evaluation.runs import export
from uda.evaluation.write import Format, write_tables

RUNS = [result(seed=1), result(seed=2, accuracy_last=92.0)]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    export(RUNS, tmp_path / "runs.csv")
    return tmp_path / "runs.csv"


def test_table_of_folders_is_the_table_of_their_export(tmp_path: Path, runs: Path) -> None:
    for number, run in enumerate(RUNS):
        write_run(tmp_path / "runs" / str(number), run)
    outputs = [CliRunner().invoke(cli, ["table", str(path)]).stdout for path in (runs, tmp_path / "runs")]
    assert outputs[0] == outputs[1] == write_tables(RUNS)


def test_options_reach_the_table(runs: Path) -> None:
    command = ["table", str(runs), "--format", "md", "--published", "none", "--headline", "validator"]
    assert CliRunner().invoke(cli, command).stdout == write_tables(RUNS, "md", "none", "validator")
    command = ["table", str(runs), "--format", "html", "--layout", "paper"]
    assert CliRunner().invoke(cli, command).stdout == write_tables(RUNS, "html", arrangement="paper")


@pytest.mark.parametrize(
    ("name", "form"),
    [("t.md", "md"), ("t.tex", "latex"), ("t.html", "html"), ("t.csv", "csv"), ("t.txt", "text"), ("T.MD", "md")],
)
def test_a_files_ending_chooses_the_format(tmp_path: Path, runs: Path, name: str, form: Format) -> None:
    output = tmp_path / "tables" / name
    assert CliRunner().invoke(cli, ["table", str(runs), "-o", str(output)]).exit_code == 0
    assert output.read_text(encoding="utf-8") == write_tables(RUNS, form)


def test_csv_has_no_layouts(runs: Path) -> None:
    sentence = refused(CliRunner().invoke(cli, ["table", str(runs), "--format", "csv", "--layout", "brief"]))
    assert sentence.startswith("--layout brief: CSV has a line for each method and pair")


def test_nothing_finished_is_an_error(tmp_path: Path) -> None:
    write_run(tmp_path / "a", result(), finished=False)
    done = CliRunner().invoke(cli, ["table", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: there is no finished run")


def test_a_broken_row_is_left_out_and_said_in_the_table_and_on_stderr(runs: Path) -> None:
    runs.write_text(runs.read_text(encoding="utf-8").replace("90.0,", "NaN,", 1), encoding="utf-8")
    done = CliRunner().invoke(cli, ["table", str(runs)])
    assert done.exit_code == 0
    said = "line 2 of runs.csv is broken: accuracy_last is 'NaN', not a finite number"
    assert done.stderr == f"left out: {said}\n"
    assert f"L{said[1:]}. It is left out." in " ".join(done.stdout.split())
    assert "92.00" in done.stdout
    assert "nan" not in done.stdout.replace("'NaN'", "")


def test_rows_that_are_all_broken_are_an_error(runs: Path) -> None:
    runs.write_text(runs.read_text(encoding="utf-8").replace("unit,default,mnist", "unit,default"), encoding="utf-8")
    done = CliRunner().invoke(cli, ["table", str(runs)])
    assert done.exit_code == 2
    expected = "error: none of 2 runs can be read; line 2 of runs.csv is broken: has 24 values for 25 columns\n"
    assert done.stderr == expected


def test_failed_and_unfinished_runs_are_footnotes(tmp_path: Path) -> None:
    write_run(tmp_path / "a", RUNS[0])
    write_run(tmp_path / "b", result(seed=3), finished=False)
    failed = write_run(tmp_path / "c", result(method="dann"), finished=False)
    (failed / "error.txt").write_text("ValueError: no\n", encoding="utf-8")
    done = CliRunner().invoke(cli, ["table", str(tmp_path), "--published", "none"])
    assert done.exit_code == 0
    assert "[a] seed 1: failed: ValueError: no\n[b] seed 3: unfinished at step 0 of 2,000\n" in done.stdout
    assert done.stderr == "left out: 1 unfinished (b)\nleft out: c: failed: ValueError: no\n"


def test_another_validator_is_read_from_the_run_folders(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "runs" / "a", RUNS[0])
    line = {"step": 7, "target_test_accuracy": 55.5, "terms": {}, "validators": {"snd": 1.0}}
    (folder / "metrics.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    done = CliRunner().invoke(cli, ["table", str(tmp_path / "runs"), "--validator", "snd"])
    assert done.exit_code == 0
    assert "validator snd" in done.stdout
    assert "55.50" in done.stdout


def test_another_validator_of_a_runs_csv_is_one_sentence(runs: Path) -> None:
    sentence = refused(CliRunner().invoke(cli, ["table", str(runs), "--validator", "snd"]))
    assert "is known from a runs.csv alone" in sentence


def test_an_unknown_validator_is_refused_with_the_nearest(runs: Path) -> None:
    sentence = refused(CliRunner().invoke(cli, ["table", str(runs), "--validator", "entropi"]))
    assert sentence.startswith("unknown validator 'entropi': did you mean 'entropy'?")

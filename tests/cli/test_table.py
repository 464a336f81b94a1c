from pathlib import Path

import pytest
from click.testing import CliRunner

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


@pytest.mark.parametrize(("name", "form"), [("t.md", "md"), ("t.tex", "latex"), ("t.csv", "csv"), ("t.txt", "text")])
def test_a_files_ending_chooses_the_format(tmp_path: Path, runs: Path, name: str, form: Format) -> None:
    output = tmp_path / "tables" / name
    assert CliRunner().invoke(cli, ["table", str(runs), "-o", str(output)]).exit_code == 0
    assert output.read_text(encoding="utf-8") == write_tables(RUNS, form)


def test_nothing_finished_is_an_error(tmp_path: Path) -> None:
    write_run(tmp_path / "a", result(), finished=False)
    done = CliRunner().invoke(cli, ["table", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: there is no finished run")

from pathlib import Path

from click.testing import CliRunner

from tests.conftest import refused
from tests.evaluation.examples import result, write_run
from tests.evaluation.logged import three_methods
from uda.cli.main import cli
from uda.evaluation.report.page import make_report
from uda.evaluation.runs import find_runs


def test_options_reach_the_page(tmp_path: Path) -> None:
    runs = three_methods(tmp_path / "runs")
    output = tmp_path / "new" / "report.html"
    command = ["report", str(runs), "-o", str(output), "--title", "Digits", "--headline", "validator"]
    done = CliRunner().invoke(cli, [*command, "--published", "none", "--no-checkpoints"])
    assert (done.exit_code, done.stdout) == (0, f"wrote {output}\n"), done.output
    assert output.read_text(encoding="utf-8") == make_report(
        find_runs([runs]), tmp_path, title="Digits", headline="validator", published="none", checkpoints=False
    )


def test_unfinished_runs_are_named(tmp_path: Path) -> None:
    runs = three_methods(tmp_path / "runs")
    write_run(runs / "begun", result(seed=9), finished=False)
    done = CliRunner().invoke(cli, ["report", str(runs), "-o", str(tmp_path / "r.html"), "--no-checkpoints"])
    assert done.exit_code == 0
    assert "left out: 1 unfinished (begun)" in done.stderr


def test_no_runs_are_an_error(tmp_path: Path) -> None:
    command = ["report", str(tmp_path), "-o", str(tmp_path / "r.html")]
    assert "no run folder in it" in refused(CliRunner().invoke(cli, command))
    assert not (tmp_path / "r.html").exists()


def test_a_report_is_html_and_nothing_else(tmp_path: Path) -> None:
    runs = three_methods(tmp_path / "runs")
    sentence = refused(CliRunner().invoke(cli, ["report", str(runs), "-o", str(tmp_path / "r.pdf")]))
    assert sentence == f"-o {tmp_path / 'r.pdf'}: a report is one HTML file; give it a name that ends in .html"
    assert not (tmp_path / "r.pdf").exists()

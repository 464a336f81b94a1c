import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.evaluation.examples import CLASSES, tiny_run
from uda.cli.main import cli


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run(tmp_path_factory.mktemp("run"), "source-only")


def test_json_and_text_say_the_same(run: Path, tmp_path: Path) -> None:
    command = ["eval", "--checkpoint", str(run / "checkpoint.pt"), "--data-root", str(tmp_path)]
    values = json.loads(CliRunner().invoke(cli, [*command, "--json"]).stdout)
    assert values["accuracy"] == json.loads((run / "result.json").read_text(encoding="utf-8"))["accuracy_last"]
    assert [entry["name"] for entry in values["classes"]] == list(CLASSES)
    text = CliRunner().invoke(cli, command).stdout
    assert f"{values['accuracy']:.2f} % of {values['n_test']} images" in text


def test_a_missing_checkpoint_is_an_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["eval", "--checkpoint", str(tmp_path / "nowhere.pt")])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert "nowhere.pt" in done.stderr

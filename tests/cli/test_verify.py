"""``uda verify``: exit code 0 where all is the same, 1 where something differs, 2 for bad input."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.conftest import refused
from uda.cli.main import cli
from uda.training.resolve import resolve
from uda.training.run import train


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tiny runs on the pair that needs no download."""
    folder = tmp_path_factory.mktemp("runs")
    overrides = {"steps": 4, "evaluate_every": 2, "batch_size": 8, "width": 2}
    for seed in (1, 2):
        config = resolve(
            *("source-only", "rendered", "optdigits"), protocol="embedded", seed=seed, overrides=overrides, device="cpu"
        )
        train(config, folder / "data", folder / "runs", device="cpu", quiet=True)
    return folder / "runs"


def verify(runs: Path, *words: object) -> Result:
    return CliRunner().invoke(cli, ["verify", *map(str, words)], env={"UDA_DATA": str(runs.parent / "data")})


def test_runs_that_nobody_touched_are_the_same(runs: Path) -> None:
    done = verify(runs, runs)
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith("2 of 2 runs are the same\n")
    assert "differs" not in done.stdout


def test_one_run_made_again_in_json(runs: Path) -> None:
    folder = next(path for path in runs.iterdir() if "seed1" in path.name)
    done = verify(runs, folder, "--retrain", "--json")
    assert done.exit_code == 0, done.output
    (values,) = json.loads(done.stdout)
    assert list(values) == ["folder", "notes", "findings", "same"]
    assert list(values["findings"][0]) == ["item", "same", "detail"]
    assert (values["folder"], values["same"]) == (str(folder), True)
    assert any(finding["item"] == "retrained weights, last step" for finding in values["findings"])


def test_one_that_differs_is_named_and_the_exit_code_is_1(runs: Path, tmp_path: Path) -> None:
    for folder in runs.iterdir():
        shutil.copytree(folder, tmp_path / folder.name)
    path = next(tmp_path.glob("*seed2*")) / "result.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**values, "oracle_step": 1}), encoding="utf-8")
    done = verify(runs, tmp_path)
    assert done.exit_code == 1
    assert f"  differs  result.json                     oracle_step 1, logged {values['oracle_step']}\n" in done.stdout
    assert done.stdout.endswith("1 of 2 runs are the same\n")


def test_runs_that_are_not_finished_are_named_and_passed_over(runs: Path, tmp_path: Path) -> None:
    first, second = (
        Path(shutil.copytree(folder, tmp_path / "runs" / folder.name)) for folder in sorted(runs.iterdir())
    )
    shutil.copytree(second, tmp_path / "runs" / "third")
    (first / "result.json").unlink()
    done = verify(runs, tmp_path / "runs")
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith("2 of 2 runs are the same\n")
    assert done.stderr == f"left out: 1 unfinished ({first.name})\n"
    assert "is not finished" in refused(verify(runs, first))
    for folder in (second, tmp_path / "runs" / "third"):
        (folder / "result.json").unlink()
    assert "none of its 3 runs is finished" in refused(verify(runs, tmp_path / "runs"))


@pytest.mark.parametrize("place", [0, 1])
def test_a_damaged_run_keeps_no_other_from_being_checked(place: int, runs: Path, tmp_path: Path) -> None:
    folders = [Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in sorted(runs.iterdir())]
    (folders[place] / "checkpoint.pt").write_bytes(b"none")
    done = verify(runs, tmp_path)
    assert done.exit_code == 2
    assert done.stdout.startswith(str(folders[1 - place]))
    assert done.stdout.endswith("1 of 2 runs are the same\n")
    assert done.stderr.startswith(f"error: {folders[place]}")


def test_bad_input_is_one_sentence(runs: Path, tmp_path: Path) -> None:
    assert "no such folder" in refused(verify(runs, tmp_path / "nowhere"))
    assert "no run folder" in refused(verify(runs, tmp_path))
    assert "unknown device" in refused(verify(runs, next(runs.iterdir()), "--device", "abacus"))

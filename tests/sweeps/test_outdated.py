"""Finished runs whose data have changed since are told, and all else is as it was."""

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Uda, write_recipe
from tests.training.test_run import config_of
from uda.sweeps.outdated import DataNow
from uda.training.run import train


@pytest.fixture
def recipe(tmp_path: Path, pair: tuple[str, str]) -> Path:
    return write_recipe(tmp_path / "bars.toml", pair, '[[runs]]\nmethod = "source-only"\n')


def turn_round(path: Path) -> None:
    """Give a domain as many other test images."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file}
    np.savez(path, **{**arrays, "test_images": arrays["test_images"].transpose(0, 2, 1)})


def test_a_benchmark_says_so_of_the_runs_from_before(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    arguments = ("benchmark", recipe, "--results", tmp_path / "results", "--seeds")
    uda(*arguments, 1)
    assert "other data" not in uda(*arguments, 1).output
    turn_round(tmp_path / "grey.npz")
    lines = uda(*arguments, "1,2").output.splitlines()
    (first,) = [line for line in lines if line.startswith("[1/2]")]
    (folder,) = (tmp_path / "runs").glob("*-seed1-*")
    told = f" % before, on other data: {tmp_path / 'grey.npz'} has changed since; move {folder} away to train anew"
    assert first.endswith(told)
    assert [line for line in lines if line.startswith("[2/2]") and "other data" in line] == []
    assert any("Source only, data " in line for line in lines)  # two rows, which are not compared


def test_train_says_so_on_stderr(uda: Uda, pair: tuple[str, str], tmp_path: Path) -> None:
    how = ("--source", pair[0], "--target", pair[1], "--method", "source-only", "--protocol", "embedded")
    arguments = ("train", *how, "--steps", 4, "--batch-size", 8, "--set", "evaluate_every=2", "--set", "width=2")
    assert "finished before" not in uda(*arguments).stderr + uda(*arguments).stderr
    turn_round(tmp_path / "grey.npz")
    again = uda(*arguments)
    assert again.exit_code == 0
    assert "this run was finished before, on other data: " in again.stderr


def test_data_that_are_gone_are_not_said_to_have_changed(pair: tuple[str, str], tmp_path: Path) -> None:
    config = config_of("source-only", pair)
    folder = train(config, tmp_path, tmp_path / "runs", quiet=True)
    (tmp_path / "grey.npz").unlink()
    assert DataNow(tmp_path).outdated(config, folder) == ""


def test_the_files_of_a_pair_are_read_once(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = [config_of(method, pair) for method in ("source-only", "im")]
    folders = [train(config, tmp_path, tmp_path / "runs", quiet=True) for config in configs]
    turn_round(tmp_path / "grey.npz")
    now = DataNow(tmp_path)
    assert now.outdated(configs[0], folders[0])
    monkeypatch.setattr("uda.sweeps.outdated.load_task", lambda *_: pytest.fail("the data were read again"))
    assert now.outdated(configs[1], folders[1])

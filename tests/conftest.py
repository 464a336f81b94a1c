"""What all tests share: few threads, no settings from outside, and a command line that runs in a folder of its own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from uda.cli.main import cli

Uda = Callable[..., Result]


@pytest.fixture(scope="session", autouse=True)
def few_threads() -> None:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))


@pytest.fixture(autouse=True)
def on_the_cpu(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make runs on the CPU, which gives the same bits each time; those of tests marked cuda on such a device."""
    with pytest.MonkeyPatch.context() as patched:
        if "cuda" not in request.keywords:
            patched.setattr(torch.cuda, "is_available", lambda: False)
        yield


@pytest.fixture
def uda(tmp_path: Path) -> Uda:
    """Run a command line with its run folders, and its data, in the test's folder."""
    env = {"UDA_RUNS": str(tmp_path / "runs"), "UDA_DATA": str(tmp_path / "data"), "UDA_JOBS": "1"}

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(cli, [str(argument) for argument in arguments], env=env)

    return run


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    """Two domains of 3 classes that a model learns in a few steps: class k is a bright bar, on black or on grey."""
    return bars(tmp_path / "black.npz", 0), bars(tmp_path / "grey.npz", 60)


def bars(path: Path, background: int) -> str:
    labels = np.arange(48) % 3
    images = np.full((48, 8, 8), background, np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 2 + 2 * label] = 255
    np.savez(path, train_images=images, train_labels=labels, test_images=images, test_labels=labels)
    return f"npz:{path}"


def write_recipe(path: Path, pair: tuple[str, str], entries: str) -> Path:
    """Write a recipe of two seeds and runs of four steps; the rest of it is given."""
    path.write_text(
        f"""
        source = '{pair[0]}'
        target = '{pair[1]}'
        seeds = [1, 2]
        steps = 4
        batch_size = 8
        evaluate_every = 2
        settings = {{width = 2}}
        {entries}
        """
    )
    return path


def refused(result: Result) -> str:
    """Return the sentence of a command that was refused as the contract says: exit code 2, one line, no trace."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    return result.stderr.removeprefix("error: ").strip()

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import time_to_accuracy
from time_to_accuracy import Timed, main, median_time, published_figure

from uda.errors import UserError

RECIPE = """
source = '{}'
target = '{}'
seeds = [1, 2]
steps = 3
batch_size = 8
evaluate_every = 3
[[runs]]
method = "source-only"
settings = {{width = 2}}
[[runs]]
method = "target-only"
"""


def test_the_figure_is_the_papers() -> None:
    assert published_figure("svhn", "mnist") == 90.53
    assert published_figure("mnist", "usps-esl") == 95.97
    with pytest.raises(UserError, match="--figure"):
        published_figure("mnist", "mnistm")


def test_a_run_that_does_not_pass_never_gets_there() -> None:
    run = Timed("a", 1, "h", "v", "uda train", 10.0, 8.0, 91.0)
    runs = [run, replace(run, seconds=30.0), replace(run, seconds=5.0, accuracy=89.0)]
    assert median_time(runs, 90.0) == 30.0
    assert median_time(runs, 91.0) == math.inf


def test_a_recipe_is_timed_once_by_commands_of_its_own(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, out = tmp_path / "bars.toml", tmp_path / "out"
    recipe.write_text(RECIPE.format(*pair))
    arguments = ["--recipes", recipe, "--figure", "1", "--runs", tmp_path / "runs", "--out", out, "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["time_to_accuracy.py", *map(str, arguments)])
    main()
    timed = [Timed(**values) for values in json.loads((out / "time_to_accuracy.json").read_text())]
    assert [run.seed for run in timed] == [1, 2]
    assert all("--method source-only" in run.command for run in timed)
    assert all(run.seconds > run.training_seconds > 0 for run in timed)
    results = [json.loads(path.read_text()) for path in sorted((tmp_path / "runs").glob("*/result.json"))]
    assert sorted(run.accuracy for run in timed) == sorted(result["accuracy_last"] for result in results)
    text = (out / "time_to_accuracy.md").read_text()
    assert "| 2 of 2 |" in text or "not reached" in text
    monkeypatch.setattr(time_to_accuracy, "time_run", None)  # what has been timed is not run again
    main()
    assert (out / "time_to_accuracy.md").read_text().splitlines()[:-2] == text.splitlines()[:-2]

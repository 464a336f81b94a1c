"""What tells runs of one method and preset apart is said in words."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.examples import result
from uda.evaluation.differences import tell_settings
from uda.evaluation.runs import export, find_runs
from uda.evaluation.table import build_tables
from uda.training.resolve import resolve

PAIR = ("rendered", "optdigits")


def run_of(folder: Path, seed: int, method: str, overrides: Mapping[str, object], *, finished: bool = True) -> None:
    config = resolve(method, *PAIR, protocol="embedded", seed=seed, overrides=dict(overrides))
    at = folder / config.name
    at.mkdir(parents=True)
    about = {"config": config.to_dict(), "config_hash": config.hash}
    (at / "run.json").write_text(json.dumps(about), encoding="utf-8")
    told = {"method": method, "preset": "default", "source": PAIR[0], "target": PAIR[1], "protocol": "embedded"}
    if finished:
        told |= {"validator": config.validator, "precision": config.precision, "config_hash": config.hash}
        line = result(**told, seed=seed, steps=config.steps)
        (at / "result.json").write_text(json.dumps(vars(line)), encoding="utf-8")


def labels(folder: Path) -> list[str]:
    found = tell_settings(find_runs([folder]))
    (table,) = build_tables(found.results, found.missing)
    return [row.label for row in table.rows]


def test_rows_are_told_apart_by_the_settings_in_which_they_differ(tmp_path: Path) -> None:
    for seed in (1, 2):
        for width in (8, 16):
            run_of(tmp_path, seed, "dann", {"width": width, "learning_rate": 1e-3})
    run_of(tmp_path, 1, "dann", {"width": 8, "augmentation.shift": 2, "learning_rate": 1e-3})
    run_of(tmp_path, 1, "source-only", {"width": 4})
    assert labels(tmp_path) == [
        "Source only",
        "DANN, augmentation.shift 0, width 16",
        "DANN, augmentation.shift 0, width 8",
        "DANN, augmentation.shift 2, width 8",
    ]


def test_a_run_without_a_result_stands_in_the_row_of_its_settings(tmp_path: Path) -> None:
    run_of(tmp_path, 1, "dann", {"width": 8})
    run_of(tmp_path, 1, "dann", {"width": 16})
    run_of(tmp_path, 2, "dann", {"width": 16}, finished=False)
    found = tell_settings(find_runs([tmp_path]))
    (table,) = build_tables(found.results, found.missing)
    waiting = {row.label: [run.seed for runs in row.missing.values() for run in runs] for row in table.rows}
    assert waiting == {"DANN, width 8": [], "DANN, width 16": [2]}


def test_of_many_settings_the_first_are_named_and_the_hash(tmp_path: Path) -> None:
    first = {"width": 4, "evaluate_every": 7, "batch_size": 16, "augmentation.shift": 1, "augmentation.affine": 0.1}
    run_of(tmp_path, 1, "dann", first)
    run_of(tmp_path, 1, "dann", {"width": 8})
    one, two = find_runs([tmp_path]).results
    assert one.settings != two.settings
    told = tell_settings(find_runs([tmp_path])).results
    for before, after in zip((one, two), told, strict=True):
        assert after.settings.endswith(f", … ({before.settings})")
        assert after.settings.count(",") == 4


def test_a_run_that_is_older_than_a_setting_has_it_at_what_changes_nothing(tmp_path: Path) -> None:
    for seed, alike in ((1, False), (2, False), (1, True)):
        run_of(tmp_path, seed, "unit", {"begin_alike": alike})
    older = next(path for path in tmp_path.iterdir() if "seed2" in path.name) / "run.json"
    about: dict[str, Any] = json.loads(older.read_text(encoding="utf-8"))
    del about["config"]["settings"]["begin_alike"]
    older.write_text(json.dumps(about), encoding="utf-8")
    found = tell_settings(find_runs([tmp_path]))
    assert sorted((run.seed, run.settings) for run in found.results) == [
        (1, "begin_alike false"),
        (1, "begin_alike true"),
        (2, "begin_alike false"),
    ]


@pytest.mark.parametrize("config", [{}, [], {"method": "dann", "settings": 3}, {"method": "dann", "augmentation": []}])
def test_what_does_not_say_what_was_run_is_left_as_it_is(config: object, tmp_path: Path) -> None:
    run_of(tmp_path, 1, "dann", {"width": 8})
    run_of(tmp_path, 1, "dann", {"width": 16})
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "run.json").write_text(json.dumps({"config": config}), encoding="utf-8")
    found = tell_settings(find_runs([tmp_path]))
    assert sorted(run.settings for run in found.results) == ["width 16", "width 8"]
    assert found.broken == ("broken is broken: run.json: holds no config; move that run's folder away and train again",)


def test_a_row_without_a_folder_is_told_as_those_of_its_settings(tmp_path: Path) -> None:
    for seed, width in ((1, 8), (2, 8), (1, 16)):
        run_of(tmp_path / "runs", seed, "dann", {"width": width})
    export(find_runs([tmp_path / "runs"]).results, tmp_path / "runs.csv")
    lost = next(path for path in (tmp_path / "runs").iterdir() if "seed2" in path.name)
    shutil.rmtree(lost)
    found = tell_settings(find_runs([tmp_path / "runs", tmp_path / "runs.csv"]))
    (table,) = build_tables(found.results)
    cells = {row.label: [len(cell.runs) for cell in row.cells.values()] for row in table.rows}
    assert cells == {"DANN, width 8": [2], "DANN, width 16": [1]}

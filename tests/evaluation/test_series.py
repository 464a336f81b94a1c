from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.examples import result, write_run
from tests.evaluation.logged import log, predict, series_of, three_methods
from uda.errors import UserError
from uda.evaluation.runs import export
from uda.evaluation.series import (
    checkpoint_titles,
    ordered_labels,
    panel_titles,
    read_moments,
    read_predictions,
)
from uda.training.resolve import resolve


def test_runs_that_differ_in_their_seed_are_one_series_with_their_folders(tmp_path: Path) -> None:
    series = series_of(three_methods(tmp_path))
    assert [(each.label, each.pair) for each in series] == [
        (label, pair) for pair in (("mnist", "usps"), ("usps", "mnist")) for label in ("Source only", "DANN", "UNIT")
    ]
    assert [folder.name for folder in series[1].known_folders] == ["mnist-usps-dann-1", "mnist-usps-dann-2"]
    assert [run.seed for run in series[1].runs] == [1, 2]


def test_runs_of_a_csv_have_no_folders(tmp_path: Path) -> None:
    export([result(), result(seed=2)], tmp_path / "runs.csv")
    (series,) = series_of(tmp_path / "runs.csv")
    assert (series.folders, series.known_folders) == ((None, None), ())


def test_bounds_frame_the_methods_in_every_figure(tmp_path: Path) -> None:
    write_run(tmp_path / "a", result(method="target-only", source="a", target="b"))
    write_run(tmp_path / "b", result(method="unit", source="c", target="d"))
    write_run(tmp_path / "c", result(method="source-only", source="c", target="d"))
    assert ordered_labels(series_of(tmp_path)) == ["Source only", "UNIT", "Target only"]


def test_a_panel_names_its_protocol_only_beside_another(tmp_path: Path) -> None:
    write_run(tmp_path / "a", result())
    assert list(panel_titles(series_of(tmp_path)).values()) == ["MNIST → USPS"]
    write_run(tmp_path / "b", result(protocol="cogan-small"))
    assert list(panel_titles(series_of(tmp_path)).values()) == [
        "MNIST → USPS (cogan-small)",
        "MNIST → USPS (standard)",
    ]


def test_moments_are_what_was_logged(tmp_path: Path) -> None:
    log(tmp_path, {50: 10.0, 100: 20.0}, {"kl": [3.0, 2.0]}, {"entropy": [-1.0, -0.5]})
    first, second = read_moments(tmp_path)
    assert (first.checkpoint.step, first.checkpoint.accuracy, first.terms) == (50, 10.0, {"kl": 3.0})
    assert (second.terms["kl"], second.checkpoint.scores["entropy"]) == (2.0, -0.5)


def test_a_broken_term_is_named(tmp_path: Path) -> None:
    log(tmp_path, {50: 10.0}, {"kl": [3.0]})
    path = tmp_path / "metrics.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("3.0", '"much"'), encoding="utf-8")
    with pytest.raises(UserError, match=r"metrics\.jsonl, line 1: has terms that are no numbers"):
        read_moments(tmp_path)


def test_predictions_are_read_and_checked(tmp_path: Path) -> None:
    assert read_predictions(tmp_path) is None
    predict(tmp_path, [0, 1, 2], [0, 1, 1], [0, 0, 2])
    found = read_predictions(tmp_path)
    assert found is not None
    assert [row.tolist() for row in (found.labels, found.last, found.pick)] == [[0, 1, 2], [0, 1, 1], [0, 0, 2]]
    predict(tmp_path, [0, 1, 2], [0, 1], [0, 0, 2])
    with pytest.raises(UserError, match=r"predictions\.npz: labels, last and pick must be equally long"):
        read_predictions(tmp_path)
    predict(tmp_path, [0, 1, 2], [0, 1, -1], [0, 0, 2])
    with pytest.raises(UserError, match=r"predictions\.npz: holds a class below 0"):
        read_predictions(tmp_path)
    predict(tmp_path, [0, 1, 2], [0, 1, 1], [0, 0, 2])
    whole = (tmp_path / "predictions.npz").read_bytes()
    for broken in (b"", b"PK?", whole[: len(whole) // 2], whole.replace(np.int64(2).tobytes(), np.int64(1).tobytes())):
        (tmp_path / "predictions.npz").write_bytes(broken)
        with pytest.raises(UserError, match=r"predictions\.npz: cannot be read"):
            read_predictions(tmp_path)
    np.savez(tmp_path / "predictions.npz", labels=np.array([1]))
    with pytest.raises(UserError, match=r"predictions\.npz: cannot be read"):
        read_predictions(tmp_path)


def test_checkpoints_are_told_apart_by_what_differs() -> None:
    one = resolve("unit", "mnist", "usps", device="cpu")
    other = resolve("unit", "usps", "mnist", preset="no-teacher", seed=2, device="cpu")
    assert checkpoint_titles([one]) == ["UNIT"]
    assert checkpoint_titles([one, other]) == ["UNIT, MNIST → USPS, seed 1", "UNIT (no-teacher), USPS → MNIST, seed 2"]

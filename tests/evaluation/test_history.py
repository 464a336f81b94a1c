import json
import math
from pathlib import Path
from typing import Any

import pytest

from uda.errors import UserError
from uda.evaluation.history import Checkpoint, pick, read_history, validators_of


def line(step: int, accuracy: Any = 50.0, **scores: Any) -> str:
    values = {"step": step, "seconds": 1.0, "terms": {"loss": 0.1}, "validators": scores}
    return json.dumps({**values, "target_test_accuracy": accuracy}) + "\n"


def write(folder: Path, *lines: str) -> Path:
    (folder / "metrics.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def test_reads_every_evaluation_in_order(tmp_path: Path) -> None:
    write(tmp_path, line(5, 40.0, entropy=-1.5, snd=2.0), line(10, 60, entropy=-1, snd=1.0))
    assert read_history(tmp_path) == [
        Checkpoint(5, 40.0, {"entropy": -1.5, "snd": 2.0}),
        Checkpoint(10, 60.0, {"entropy": -1.0, "snd": 1.0}),
    ]


def test_reads_how_often_each_class_is_predicted_where_it_was_logged(tmp_path: Path) -> None:
    logged = json.loads(line(10)) | {"predicted": {"cat": 0.25, "dog": 0.75}}
    write(tmp_path, line(5), json.dumps(logged) + "\n")
    assert [each.predicted for each in read_history(tmp_path)] == [{}, {"cat": 0.25, "dog": 0.75}]
    write(tmp_path, json.dumps(logged | {"predicted": [0.25, 0.75]}) + "\n")
    with pytest.raises(UserError, match="line 1: is no evaluation"):
        read_history(tmp_path)


def test_a_score_that_is_no_number_is_the_worst(tmp_path: Path) -> None:
    write(tmp_path, line(5, entropy=math.nan), line(10, entropy=-1e300))
    assert [each.scores["entropy"] for each in read_history(tmp_path)] == [-math.inf, -1e300]
    assert pick(read_history(tmp_path), "entropy").step == 10


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, line(5), line(10)[:-9])
    assert [each.step for each in read_history(tmp_path)] == [5]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), r"metrics\.jsonl: holds no evaluation"),
        (('{"step": 1',), r"metrics\.jsonl: holds no evaluation"),
        (("{\n", line(5)), r"metrics\.jsonl, line 1: is no evaluation"),
        ((line(5), "[]\n"), r"metrics\.jsonl, line 2: is no evaluation"),
        (('{"step": 5}\n',), r"line 1: is no evaluation \(KeyError\('target_test_accuracy'\)\)"),
        ((line(5, 101.0),), r"target_test_accuracy is 101\.0, not a percentage"),
        ((line(5, math.nan),), r"target_test_accuracy is nan, not a percentage"),
        ((line(5, entropy="high"),), r"line 1: is no evaluation"),
        ((line(5, entropy=None),), r"line 1: is no evaluation"),
    ],
)
def test_what_is_broken_is_named(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_history(write(tmp_path, *lines))


def test_what_was_cut_off_of_a_finished_run_is_named(tmp_path: Path) -> None:
    write(tmp_path, line(10), line(20)[:-5])
    assert [each.step for each in read_history(tmp_path)] == [10]
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(
        UserError, match="is cut off, of a finished run; leave that run out, or move its folder away and train again"
    ):
        read_history(tmp_path)


def test_a_folder_without_evaluations_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no metrics\.jsonl"):
        read_history(tmp_path)


def test_picks_the_highest_score_and_the_first_of_equal_ones() -> None:
    run = [Checkpoint(step, 50.0, {"snd": score}) for step, score in ((1, 0.5), (2, 0.7), (3, 0.7), (4, 0.6))]
    assert pick(run, "snd").step == 2
    assert pick(run[2:], "snd").step == 3


def test_a_validator_that_did_not_score_every_checkpoint_cannot_pick() -> None:
    run = [Checkpoint(1, 50.0, {"snd": 1.0, "entropy": 1.0}), Checkpoint(2, 50.0, {"entropy": 1.0})]
    assert validators_of(run) == ("entropy",)
    with pytest.raises(UserError, match="unknown validator in this run 'snd': known are entropy"):
        pick(run, "snd")

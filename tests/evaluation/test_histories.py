import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.evaluation.examples import result, write_run
from uda.errors import UserError
from uda.evaluation.histories import COLUMNS, find_histories, names_of, write_histories
from uda.evaluation.runs import RunResult, export

ONE, TWO = (result(seed=seed) for seed in (1, 2))
SCORES = {"entropy": -0.1 - 0.2, "snd": 1e-300}


def write(folder: Path, run: RunResult, finished: bool = True) -> Path:
    write_run(folder, run, finished=finished)
    lines = [
        {"step": step, "seconds": 1.0, "terms": {}, "validators": SCORES, "target_test_accuracy": 100 * step / 3}
        for step in (1, 2)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
    return folder


def test_finds_the_evaluations_of_finished_runs(tmp_path: Path) -> None:
    write(tmp_path / "a", ONE)
    unfinished = write(tmp_path / "b", TWO, finished=False)
    found = find_histories([tmp_path, tmp_path / "a"])
    assert found.unfinished == (unfinished,)
    (history,) = found.histories
    assert (history.config_hash, history.method, history.seed) == (ONE.config_hash, "unit", 1)
    assert [(each.step, each.accuracy, each.scores) for each in history.checkpoints] == [
        (1, 100 / 3, SCORES),
        (2, 200 / 3, SCORES),
    ]


def test_a_file_gives_back_what_was_written_bit_for_bit(tmp_path: Path) -> None:
    folders = [write(tmp_path / "a", ONE), write(tmp_path / "b", TWO)]
    found = find_histories(folders)
    assert write_histories(found.histories, tmp_path / "new" / "history.csv") == 4
    again = find_histories([tmp_path / "new" / "history.csv"])
    assert again.histories == found.histories
    assert find_histories([tmp_path / "new" / "history.csv", *folders]).histories == found.histories


def test_the_columns_are_the_runs_then_the_evaluations_then_the_validators(tmp_path: Path) -> None:
    write_histories(find_histories([write(tmp_path / "a", ONE)]).histories, tmp_path / "h.csv")
    header, first, _ = (tmp_path / "h.csv").read_text(encoding="utf-8").splitlines()
    run = "config_hash,method,preset,source,target,protocol,seed"
    assert header == f"{run},step,target_test_accuracy,trained_on,entropy,snd"
    assert (
        first
        == f"{ONE.config_hash},unit,default,mnist,usps,standard,1,1,33.333333333333336,,-0.30000000000000004,1e-300"
    )


def test_a_validator_that_a_run_did_not_log_stays_empty(tmp_path: Path) -> None:
    old, new = write(tmp_path / "a", ONE), write(tmp_path / "b", TWO)
    text = (new / "metrics.jsonl").read_text(encoding="utf-8").replace('"snd"', '"of-tomorrow"')
    (new / "metrics.jsonl").write_text(text, encoding="utf-8")
    found = find_histories([old, new])
    assert names_of(found.histories) == ("entropy", "snd", "of-tomorrow")
    write_histories(found.histories, tmp_path / "h.csv")
    assert find_histories([tmp_path / "h.csv"]).histories == found.histories


def test_a_run_that_cannot_be_read_is_told_and_hides_no_other(tmp_path: Path) -> None:
    write(tmp_path / "a", ONE)
    write_run(tmp_path / "b", TWO)
    (write(tmp_path / "c", result(seed=3)) / "result.json").write_text("[]", encoding="utf-8")
    found = find_histories([tmp_path, tmp_path / "b"])
    assert [history.seed for history in found.histories] == [1]
    first, second = found.broken
    assert first.startswith(f"{tmp_path / 'b'}: has no metrics.jsonl")
    assert second.startswith(f"{tmp_path / 'c' / 'result.json'}: holds no JSON object")


def test_lines_in_another_order_are_the_same_run(tmp_path: Path) -> None:
    found = find_histories([write(tmp_path / "a", ONE)])
    write_histories(found.histories, tmp_path / "h.csv")
    header, first, second = (tmp_path / "h.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "h.csv").write_text("\n".join([header, second, first]), encoding="utf-8")
    assert find_histories([tmp_path / "h.csv"]).histories == found.histories


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("h,unit,default,mnist,usps,standard,1,5,101,0.5", r"h\.csv, line 2: target_test_accuracy is '101'"),
        ("h,unit,default,mnist,usps,standard,1,five,90,0.5", r"h\.csv, line 2: is no evaluation"),
        ("h,unit,default,mnist,usps,standard,one,5,90,0.5", r"h\.csv, line 2: is no evaluation"),
        ("h,unit,default,mnist,usps,standard,1,5,90,high", r"h\.csv, line 2: is no evaluation"),
        ("h,unit,default,mnist", r"h\.csv, line 2: is no evaluation"),
        ("h,unit,default,mnist,usps,standard,1,5,90,0.5,0.6", r"h\.csv, line 2: is no evaluation"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, row: str, message: str) -> None:
    (tmp_path / "h.csv").write_text(",".join([*COLUMNS, "snd"]) + "\n" + row + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=message):
        find_histories([tmp_path / "h.csv"])


def test_what_is_no_history_is_named(tmp_path: Path) -> None:
    export([ONE], tmp_path / "runs.csv")
    with pytest.raises(UserError, match=r"runs\.csv: is not a file of evaluations"):
        find_histories([tmp_path / "runs.csv"])
    with pytest.raises(UserError, match="no such file or folder"):
        find_histories([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no run folder in it"):
        find_histories([tmp_path / "empty"])
    write_run(tmp_path / "bare", ONE)
    with pytest.raises(UserError, match=r"bare: has no metrics\.jsonl"):
        find_histories([tmp_path / "bare"])


def test_what_a_run_trains_on_is_kept_and_older_files_do_not_say(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", result(method="im"))
    (history,) = find_histories([folder]).histories
    assert history.trained_on == ("entropy", "diversity", "information-maximization", "bnm")
    write_histories([history], tmp_path / "h.csv")
    assert find_histories([tmp_path / "h.csv"]).histories == (history,)
    lines = [line.split(",") for line in (tmp_path / "h.csv").read_text(encoding="utf-8").splitlines()]
    older = "\n".join(",".join(line[:9] + line[10:]) for line in lines)
    (tmp_path / "h.csv").write_text(older + "\n", encoding="utf-8")
    assert find_histories([tmp_path / "h.csv"]).histories == (replace(history, trained_on=()),)

import json
from pathlib import Path

import pytest
import torch

from tests.evaluation.examples import result, write_run
from uda.errors import UserError
from uda.evaluation.repick import repick
from uda.evaluation.runs import export, find_runs
from uda.metrics.correctness import pack

LAST, PICK = pack(torch.tensor([True, True, True, False])), pack(torch.tensor([True, False, False, False]))
RUN = result(
    steps=300,
    n_test=4,
    accuracy_last=75.0,
    accuracy_validator=25.0,
    validator_step=100,
    correct_last=LAST,
    correct_validator=PICK,
)
HISTORY = [
    {"step": 100, "target_test_accuracy": 25.0, "validators": {"entropy": 3.0, "snd": 1.0, "bnm": 1.0}},
    {"step": 200, "target_test_accuracy": 50.0, "validators": {"entropy": 2.0, "snd": 2.0, "bnm": 2.0}},
    {"step": 300, "target_test_accuracy": 75.0, "validators": {"entropy": 1.0, "snd": 1.0, "bnm": 3.0}},
]


def logged(folder: Path) -> Path:
    write_run(folder, RUN)
    lines = [json.dumps({**line, "terms": {}}) + "\n" for line in HISTORY]
    (folder / "metrics.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("validator", "step", "accuracy", "correct"),
    [("entropy", 100, 25.0, PICK), ("snd", 200, 50.0, ""), ("bnm", 300, 75.0, LAST)],
)
def test_another_validators_pick_is_read_from_the_log(
    tmp_path: Path, validator: str, step: int, accuracy: float, correct: str
) -> None:
    (run,) = repick(find_runs([logged(tmp_path / "a")]), validator).results
    assert (run.validator, run.validator_step, run.accuracy_validator) == (validator, step, accuracy)
    assert run.correct_validator == correct
    assert (run.accuracy_last, run.correct_last) == (75.0, LAST)


def test_missing_runs_stay_where_their_result_would_stand(tmp_path: Path) -> None:
    logged(tmp_path / "a")
    write_run(tmp_path / "b", result(seed=2), finished=False)
    assert [run.validator for run in repick(find_runs([tmp_path]), "snd").missing] == ["snd"]


def test_a_run_that_cannot_be_read_is_told_and_hides_no_other(tmp_path: Path) -> None:
    logged(tmp_path / "a")
    write_run(tmp_path / "b", result(seed=2))
    found = repick(find_runs([tmp_path]), "snd")
    assert [run.seed for run in found.results] == [RUN.seed]
    (sentence,) = found.broken
    assert sentence.startswith(f"{tmp_path / 'b'}: has no metrics.jsonl")


def test_a_runs_csv_alone_is_one_clear_sentence(tmp_path: Path) -> None:
    export([RUN], tmp_path / "runs.csv")
    with pytest.raises(UserError, match=r"known from a runs\.csv alone, .* for snd give the run folders"):
        repick(find_runs([tmp_path / "runs.csv"]), "snd")


def test_a_validator_that_was_not_logged_is_named_with_the_run(tmp_path: Path) -> None:
    found = find_runs([logged(tmp_path / "a")])
    with pytest.raises(UserError, match=r"a: unknown validator in this run 'sdn': did you mean 'snd'\?"):
        repick(found, "sdn")
    (tmp_path / "a" / "metrics.jsonl").unlink()
    with pytest.raises(UserError, match=r"a: has no metrics\.jsonl"):
        repick(found, "snd")

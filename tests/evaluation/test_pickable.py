"""Of a method that its last step makes, nothing before it is a pick or the oracle's: not in runs of older versions."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import Uda, refused
from tests.evaluation.examples import result, tiny_run, write_run
from tests.evaluation.logged import log, logged_run, series_of
from uda.evaluation.figures.confusion import confusions
from uda.evaluation.figures.ranking import scored
from uda.evaluation.histories import find_histories
from uda.evaluation.history import pickable, read_history
from uda.evaluation.repick import repick
from uda.evaluation.runs import find_runs, read_csv, read_result
from uda.evaluation.runs_csv import export
from uda.evaluation.stored import read_stored_run
from uda.evaluation.validator_study import LAST_STEP, study_validators
from uda.evaluation.verify import verify
from uda.metrics.correctness import pack
from uda.training.checkpoint import load_model

LAST, PICK = pack(torch.tensor([True, False, False, False])), pack(torch.tensor([True, True, True, False]))
#: As an older version wrote it: the validator picked step 100, and the oracle step 200.
OLD = result(
    method="ot",
    steps=300,
    n_test=4,
    accuracy_last=25.0,
    accuracy_validator=75.0,
    accuracy_oracle=100.0,
    validator_step=100,
    oracle_step=200,
    correct_last=LAST,
    correct_validator=PICK,
)
ACCURACIES = {100: 75.0, 200: 100.0, 300: 25.0}
SCORES = {"entropy": [3.0, 2.0, 1.0], "snd": [1.0, 2.0, 1.0]}


def old_run(folder: Path, **values: Any) -> Path:
    write_run(folder, replace(OLD, **values))
    log(folder, ACCURACIES, scores=SCORES)
    return folder


def test_a_result_of_an_older_version_is_read_with_the_last_step_for_both(tmp_path: Path) -> None:
    at_end = replace(
        OLD,
        accuracy_validator=25.0,
        accuracy_oracle=25.0,
        validator_step=300,
        oracle_step=300,
        correct_validator=LAST,
    )
    for read in (read_result(old_run(tmp_path / "run")), find_runs([tmp_path]).results[0]):
        assert read == at_end
        assert read.correct_validator == LAST
    export([OLD], tmp_path / "runs.csv")
    assert read_csv(tmp_path / "runs.csv") == [at_end]


def test_other_methods_keep_their_picks_and_results_without_an_accuracy_have_none(tmp_path: Path) -> None:
    assert read_result(old_run(tmp_path / "dann", method="dann")).accuracy_validator == 75.0
    folder = old_run(tmp_path / "ot")
    values = json.loads((folder / "result.json").read_text())
    none = (
        "accuracy_last",
        "accuracy_validator",
        "accuracy_oracle",
        "oracle_step",
        "correct_last",
        "correct_validator",
    )
    (folder / "result.json").write_text(json.dumps(values | dict.fromkeys(none)))
    read = read_result(folder)
    assert (read.scored, read.validator_step, read.oracle_step) == (False, 300, 0)


@pytest.mark.parametrize("validator", SCORES)
def test_another_validator_picks_the_last_step_too(validator: str, tmp_path: Path) -> None:
    (run,) = repick(find_runs([old_run(tmp_path / "run")]), validator).results
    assert (run.validator, run.validator_step, run.accuracy_validator) == (validator, 300, 25.0)
    assert run.correct_validator == LAST


def test_validators_are_not_judged_by_what_is_not_the_method(tmp_path: Path) -> None:
    old_run(tmp_path / "ot")
    found = find_histories([tmp_path]).histories
    assert len(found[0].checkpoints) == 3  # all of them are written where --history names a file
    (pair,) = study_validators(found).pairs
    for verdict in pair.verdicts:
        assert verdict.checkpoints.count == 0
        assert verdict.validator == LAST_STEP or verdict.picked.count == 1
    old_run(tmp_path / "dann", method="dann", config_hash="0")
    (pair,) = study_validators(find_histories([tmp_path]).histories).pairs
    (entropy,) = (verdict for verdict in pair.verdicts if verdict.validator == "entropy")
    # the other run's pick has the highest score, and 75 %; its best checkpoint 100
    assert (entropy.checkpoints.count, entropy.picked.count, entropy.picked.regret) == (1, 2, 25.0)


def test_figures_show_what_is_the_method(tmp_path: Path) -> None:
    logged_run(tmp_path / "run", replace(OLD, accuracy_last=60.0, correct_last="", correct_validator=""), 90.0, 60.0)
    series = series_of(tmp_path)
    assert [point.accuracy for point in scored(series)] == [60.0]
    (last,), _, _ = confusions(series, "last")
    (pick,), _, _ = confusions(series, "pick")
    assert np.array_equal(pick.counts, last.counts)
    assert np.trace(pick.counts) < 30


@pytest.fixture(scope="module")
def ot_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("ot.da", reason="POT is not installed")
    return tiny_run(tmp_path_factory.mktemp("ot"), "ot")


def test_a_run_picks_its_last_step(ot_run: Path) -> None:
    made = json.loads((ot_run / "result.json").read_text())
    assert [line.step for line in read_history(ot_run)] == [2, 4]
    assert [line.step for line in pickable(read_history(ot_run), "ot")] == [4]
    assert made["validator_step"] == made["oracle_step"] == 4
    assert made["accuracy_validator"] == made["accuracy_oracle"] == made["accuracy_last"]
    assert made["correct_validator"] == made["correct_last"]
    assert load_model(ot_run / "checkpoint.pt", "pick")[1].step == 4
    assert verify(read_stored_run(ot_run), ot_run, again=True, quiet=True).same


def of_an_older_version(run: Path, folder: Path, step: int = 4) -> Path:
    """Copy a run, as it was stored where its first evaluation was picked, after so many steps."""
    copied = Path(shutil.copytree(run, folder / run.name))
    values = torch.load(copied / "checkpoint.pt", weights_only=True)
    first = {key: torch.zeros_like(tensor) for key, tensor in values["model"].items()}
    torch.save({**values, "step": step, "pick": {"step": 2, "score": 1e9, "model": first}}, copied / "checkpoint.pt")
    path = copied / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"validator_step": 2, "accuracy_validator": 0.0}))
    return copied


def test_a_run_of_an_older_version_is_verified_at_its_last_step(ot_run: Path, tmp_path: Path) -> None:
    folder = of_an_older_version(ot_run, tmp_path)
    assert verify(read_stored_run(folder), folder, again=True, quiet=True).same
    model, loaded = load_model(folder / "checkpoint.pt", "pick")
    assert loaded.step == 4
    last, _ = load_model(folder / "checkpoint.pt", "last")
    assert all(torch.equal(a, b) for a, b in zip(model.buffers(), last.buffers(), strict=True))


def test_before_the_last_step_there_is_no_pick(uda: Uda, ot_run: Path, tmp_path: Path) -> None:
    path = of_an_older_version(ot_run, tmp_path, step=2) / "checkpoint.pt"
    for command in (["eval"], ["predict", f"npz:{ot_run.parents[1] / 'grey.npz'}"]):
        sentence = refused(uda(*command, "--checkpoint", path, "--weights", "pick"))
        assert sentence == f"{path}: has no validator's pick yet; use --weights last"

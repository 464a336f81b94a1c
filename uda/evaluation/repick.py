"""What runs would have picked under another validator, from what they logged: nothing is trained again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from uda.errors import UserError
from uda.evaluation.history import Checkpoint, pick, pickable, read_history
from uda.evaluation.result import RunResult
from uda.evaluation.runs import FoundRuns, readable


def repick(found: FoundRuns, validator: str) -> FoundRuns:
    """Replace the pick of every run by another validator's.

    Which images were right at the new pick is known only where it is the run's own pick, or its last step. A run whose
    evaluations cannot be read, or that did not log that validator, is told among those that are ``broken``.

    Parameters
    ----------
    found
        From `uda.evaluation.runs.find_runs`.
    validator
        Its name.

    Raises
    ------
    UserError
        For a run that is known from a ``runs.csv`` alone, and where no run is left.
    """
    for result in found.results:
        if result.config_hash not in found.folders:
            raise UserError(
                f"run {result.config_hash} is known from a runs.csv alone, which says what its own validator "
                f"({result.validator}) picked and no other; for {validator} give the run folders"
            )
    methods = {found.folders[result.config_hash]: result.method for result in found.results}
    found, picks = readable(found, lambda folder: _picked(folder, methods[folder], validator))
    results = tuple(_repicked(result, picks[result.config_hash], validator) for result in found.results)
    missing = tuple(replace(run, validator=validator) for run in found.missing)
    return replace(found, results=results, missing=missing)


def _picked(folder: Path, method: str, validator: str) -> Checkpoint:
    try:
        return pick(pickable(read_history(folder), method), validator)
    except UserError as error:
        raise UserError(str(error) if str(folder) in str(error) else f"{folder}: {error}") from error


def _repicked(result: RunResult, chosen: Checkpoint, validator: str) -> RunResult:
    known = {result.steps: result.correct_last, result.validator_step: result.correct_validator}
    return replace(
        result,
        validator=validator,
        validator_step=chosen.step,
        accuracy_validator=chosen.accuracy,
        correct_validator=known.get(chosen.step, ""),
    )

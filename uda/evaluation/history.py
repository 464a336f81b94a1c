"""The evaluations during a run: what each validator thought of each checkpoint, and which one it would have picked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from uda.errors import UserError, unknown
from uda.methods import only_at_end


@dataclass(frozen=True)
class Checkpoint:
    """One evaluation during a run.

    Attributes
    ----------
    step
        Updates made.
    accuracy
        On the target test split, percent: for judging validators, never seen by them. Not a number where that has no
        labels.
    scores
        Of each validator, by name; larger is better, and minus infinity where the run logged no number.
    predicted
        Share of the target's training images that is predicted as each class, by name; empty where the run logged none.
    """

    step: int
    accuracy: float
    scores: Mapping[str, float]
    predicted: Mapping[str, float] = field(default_factory=dict)


def read_history(folder: Path) -> list[Checkpoint]:
    """Read the evaluations of a run folder, in order.

    A last line that was cut off, as in a run that was killed, is left out.

    Raises
    ------
    UserError
        Where the folder has no evaluation, a line before the last is broken, or a finished run's last one is cut off.
    """
    path = folder / "metrics.jsonl"
    if not path.is_file():
        raise UserError(f"{folder}: has no metrics.jsonl; give the whole folder of a run")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        if (folder / "result.json").is_file():
            raise UserError(
                f"{path}: is cut off, of a finished run; leave that run out, or move its folder away and train again"
            )
        lines.pop()
    if not lines:
        raise UserError(
            f"{path}: holds no evaluation; leave that run out, or move that run's folder away and train again"
        )
    return [_read_line(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1)]


def _read_line(line: str, where: str) -> Checkpoint:
    try:
        values = json.loads(line)
        checkpoint = make_checkpoint(values["step"], values["target_test_accuracy"], values["validators"], where)
        predicted = {name: float(share) for name, share in values.get("predicted", {}).items()}
        return replace(checkpoint, predicted=predicted)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{where}: is no evaluation ({error!r}); leave that run out, or move that run's folder away and train again"
        ) from error


def make_checkpoint(step: Any, accuracy: Any, scores: Mapping[str, Any], where: str) -> Checkpoint:
    """Check and convert what was written down of one evaluation.

    Raises
    ------
    UserError
        For an accuracy that is neither None nor a percentage; ``where`` is named.
    TypeError, ValueError
        For what is no number.
    """
    reached = math.nan if accuracy is None else float(accuracy)
    if not (accuracy is None or 0.0 <= reached <= 100.0):
        raise UserError(f"{where}: target_test_accuracy is {accuracy!r}, not a percentage in 0..100")
    numbers = {name: float(score) for name, score in scores.items()}
    return Checkpoint(
        int(step), reached, {name: -math.inf if math.isnan(score) else score for name, score in numbers.items()}
    )


def pickable(checkpoints: Sequence[Checkpoint], method: str) -> Sequence[Checkpoint]:
    """Return what validators and the oracle may choose among of a finished run: all its evaluations, by default.

    Of a method that its last step makes it is the last one: those before are of other networks.

    Parameters
    ----------
    checkpoints
        Of the whole run, in the order of their steps.
    method
        The run's, by name.
    """
    return checkpoints[-1:] if only_at_end(method) else checkpoints


def pick(checkpoints: Sequence[Checkpoint], validator: str) -> Checkpoint:
    """Return the checkpoint that a validator picks: the one of the highest score, the first of equal ones.

    This is how a run picks while it trains, so the run's own validator picks what the run picked.

    Parameters
    ----------
    checkpoints
        At least one, in the order of their steps: those of a run that are `pickable`.
    validator
        Its name.

    Raises
    ------
    UserError
        Where a checkpoint was not scored by that validator; the nearest one that scored all is named.
    """
    scored = validators_of(checkpoints)
    if validator not in scored:
        raise unknown("validator in this run", validator, scored)
    return max(checkpoints, key=lambda checkpoint: checkpoint.scores[validator])


def validators_of(checkpoints: Sequence[Checkpoint]) -> tuple[str, ...]:
    """Return the names of the validators that scored every one of some checkpoints, in the order of the first's."""
    return tuple(name for name in checkpoints[0].scores if all(name in each.scores for each in checkpoints))

"""A run that begins several times: each start is tried for a while, and the one that a validator likes best goes on.

Where an adversarial game ends can be decided early, and otherwise from seed to seed: UNIT's translations may settle on
digits that are swapped. No target label has a part in the choice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from uda.atomic import write_tensors
from uda.data.protocols import TaskData
from uda.errors import NotFiniteError
from uda.training.checkpoint import read_checkpoint
from uda.training.probe import Layout
from uda.training.record import Record
from uda.training.starts import Starts, Tried, start_seed


class Trial(Record):
    """One start of a run: a folder inside the run's, trained in it as far as ``start_steps``.

    Parameters
    ----------
    run
        The run.
    number
        Which start, from 0.
    """

    def __init__(self, run: Record, number: int) -> None:
        super().__init__(run.folder / f"start-{number}", run.config)
        self._run, self._number = run, number

    @property
    def seed(self) -> int:
        """What it draws by."""
        return start_seed(self.config.seed, self._number)

    @property
    def end(self) -> int:
        """The step up to which it is tried."""
        return self.config.start_steps

    @property
    def layout(self) -> Layout | None:
        """The run's."""
        return self._run.layout

    def check_data(self, task: TaskData) -> None:
        """Raise `UserError` where any start of the run was begun on other data: they would be compared on both."""
        if any(Trial(self._run, number).checkpoint.exists() for number in range(self.config.starts)):
            self._run.refuse_changed(task)

    def begin(self, task: TaskData, about: dict[str, Any], layout: Layout) -> None:
        """Begin the run."""
        self._run.begin(task, about, layout)


def trials(run: Record) -> list[Trial]:
    """Return the starts among which a run has still to choose; none where it has but one, or has chosen."""
    if run.config.starts == 1 or run.starts is not None:
        return []
    return [Trial(run, number) for number in range(run.config.starts)]


def keep_best(run: Record, tried: Sequence[Trial]) -> None:
    """Make the start that the run's validator scores highest the beginning of the run, once all were tried.

    Its checkpoint and its evaluations become the run's, with the seconds of the others added. Of the starts only their
    evaluations stay. One that did not come to its end, as its numbers were not finite, is not kept.

    Raises
    ------
    NotFiniteError
        Where none came to its end.
    """
    starts = Starts(tuple(_tried(trial) for trial in tried))
    if all(math.isnan(each.score) for each in starts.tried):
        raise NotFiniteError(
            f"{run.folder}: none of its {len(tried)} starts came to step {run.config.start_steps:,} with finite "
            "numbers; lower learning_rate or a term's weight, or take precision fp32"
        )
    kept, others = tried[starts.kept], starts.seconds_of_others
    lines = [json.dumps({**line, "seconds": line["seconds"] + others}) + "\n" for line in kept.history()]
    run.metrics.write_text("".join(lines), encoding="utf-8")
    values = read_checkpoint(kept.checkpoint)
    write_tensors(run.checkpoint, {**values, "seconds": values["seconds"] + others})
    starts.write(run.folder)
    for trial in tried:
        trial.checkpoint.unlink(missing_ok=True)


def _tried(trial: Trial) -> Tried:
    """Return what became of a start: no score where it did not come to its end, and the seconds up to its last stop."""
    lines = trial.history()
    if not lines or lines[-1]["step"] < trial.end:
        return Tried(trial.seed, math.nan, lines[-1]["seconds"] if lines else 0.0)
    return Tried(trial.seed, lines[-1]["validators"][trial.config.validator], lines[-1]["seconds"])

"""A run that begins several times: each start is tried for a while, and the one that a validator likes best goes on.

Where an adversarial game ends can be decided early, and otherwise from seed to seed: UNIT's translations may settle on
digits that are swapped. No target label has a part in the choice.
"""

from __future__ import annotations

import json
from typing import Any

from uda.data.protocols import TaskData
from uda.training.checkpoint import read_checkpoint
from uda.training.files import write_tensors
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

    def begin(self, task: TaskData, about: dict[str, Any], layout: Layout) -> None:
        """Begin the run."""
        self._run.begin(task, about, layout)


def trials(run: Record) -> list[Trial]:
    """Return the starts among which a run has still to choose; none where it has but one, or has chosen."""
    if run.config.starts == 1 or run.starts is not None:
        return []
    return [Trial(run, number) for number in range(run.config.starts)]


def keep_best(run: Record) -> None:
    """Make the start that the run's validator scores highest the beginning of the run, once all are at their end.

    Its checkpoint and its evaluations become the run's, with the seconds of the others added. Of the starts only their
    evaluations stay.
    """
    tried = trials(run)
    starts = Starts(tuple(_tried(trial) for trial in tried))
    kept, others = tried[starts.kept], starts.seconds_of_others
    lines = [json.dumps({**line, "seconds": line["seconds"] + others}) + "\n" for line in kept.history()]
    run.metrics.write_text("".join(lines), encoding="utf-8")
    values = read_checkpoint(kept.checkpoint)
    write_tensors(run.checkpoint, {**values, "seconds": values["seconds"] + others})
    starts.write(run.folder)
    for trial in tried:
        trial.checkpoint.unlink()


def _tried(trial: Trial) -> Tried:
    line = trial.history()[-1]
    return Tried(trial.seed, line["validators"][trial.config.validator], line["seconds"])

"""What became of the starts of a run that has several: each one's score, and which was kept."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from uda.atomic import write_json
from uda.training.config import RunConfig

#: Between the seeds of a run's starts: far from the seeds that people give.
APART = 2**20
_NAME = "starts.json"


@dataclass(frozen=True)
class Tried:
    """What became of one start.

    Attributes
    ----------
    seed
        What it drew by.
    score
        The run's validator of it, when each had been tried for as long; higher is better. NaN where it was given up, as
        its numbers were not finite.
    seconds
        What its updates took.
    """

    seed: int
    score: float
    seconds: float


@dataclass(frozen=True)
class Starts:
    """What became of all starts of a run.

    Attributes
    ----------
    tried
        In order.
    """

    tried: tuple[Tried, ...]

    @property
    def kept(self) -> int:
        """Which one goes on, from 0: the one of the highest score, and the first of equal ones."""
        scores = [-math.inf if math.isnan(each.score) else each.score for each in self.tried]
        return scores.index(max(scores))

    @property
    def seed(self) -> int:
        """What the one that goes on draws by."""
        return self.tried[self.kept].seed

    @property
    def seconds_of_others(self) -> float:
        """What the updates of all others took."""
        return sum(each.seconds for number, each in enumerate(self.tried) if number != self.kept)

    def write(self, folder: Path) -> None:
        """Write ``starts.json`` in the run's folder, whole or not at all: from then on the choice is made."""
        write_json(folder / _NAME, {"kept": self.kept, "tried": [asdict(each) for each in self.tried]})


def start_seed(seed: int, number: int) -> int:
    """Return what a start of a run draws by, from 0: the first as a run of that seed that has no other starts."""
    return seed + number * APART


def read_starts(folder: Path) -> Starts | None:
    """Return what became of the starts of a run, by its folder; None where it has but one, or has not chosen yet."""
    path = folder / _NAME
    if not path.exists():
        return None
    return Starts(tuple(Tried(**each) for each in json.loads(path.read_text(encoding="utf-8"))["tried"]))


def describe_starts(starts: Starts, config: RunConfig) -> str:
    """Say which start was kept, and what the validator said of each."""
    scores = ", ".join("given up" if math.isnan(each.score) else f"{each.score:.4f}" for each in starts.tried)
    return (
        f"start {starts.kept + 1} of {len(starts.tried)} was kept: by {config.validator} after "
        f"{config.start_steps:,} steps, {scores}"
    )

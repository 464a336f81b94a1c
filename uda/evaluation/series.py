"""The runs of each cell of a table with their folders: what the figures that look into run folders are drawn from."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from uda.data.domains import UNLABELLED
from uda.errors import UserError
from uda.evaluation.history import Checkpoint, read_history
from uda.evaluation.labels import pair_labels, preset_label
from uda.evaluation.result import RunResult
from uda.evaluation.table import Cell, Pair, build_tables
from uda.methods import only_at_end
from uda.methods.base import Kind
from uda.training.config import RunConfig


@dataclass(frozen=True)
class Series:
    """One method on one pair: runs that are equal in all but the seed.

    Attributes
    ----------
    label, kind
        As in the table.
    protocol, pair
        What it was run on.
    cell
        Its runs, in the order of their seeds.
    folders
        The folder of each run; None for a run that only a ``runs.csv`` tells of.
    """

    label: str
    kind: Kind
    protocol: str
    pair: Pair
    cell: Cell
    folders: tuple[Path | None, ...]

    @property
    def runs(self) -> tuple[RunResult, ...]:
        """The results of its runs."""
        return self.cell.runs

    @property
    def scored(self) -> bool:
        """Whether its runs have accuracies."""
        return all(run.scored for run in self.runs)

    @property
    def known_folders(self) -> tuple[Path, ...]:
        """The folders that there are."""
        return tuple(folder for folder in self.folders if folder is not None)


@dataclass(frozen=True)
class Moment:
    """One evaluation during a run, with the mean of each term of the updates since the evaluation before."""

    checkpoint: Checkpoint
    terms: Mapping[str, float]


@dataclass(frozen=True)
class Predictions:
    """What a finished run predicted on the target test split: (N,) integers each.

    Attributes
    ----------
    labels
        True classes.
    last, pick
        Predicted at the last step, and at the validator's pick.
    """

    labels: NDArray[np.int64]
    last: NDArray[np.int64]
    pick: NDArray[np.int64]

    @property
    def largest(self) -> int:
        """The largest class in any of them."""
        return int(max(self.labels.max(), self.last.max(), self.pick.max()))


def collect(results: Sequence[RunResult], folders: Mapping[str, Path]) -> tuple[Series, ...]:
    """Arrange finished runs as the tables do, each with its folder.

    Parameters
    ----------
    results, folders
        From `uda.evaluation.runs.find_runs`; folders by config hash.

    Raises
    ------
    UserError
        For runs that cannot stand in one table; see `uda.evaluation.table.build_tables`.
    """
    return tuple(
        Series(
            row.label,
            row.kind,
            table.protocol,
            pair,
            row.cells[pair],
            tuple(folders.get(run.config_hash) for run in row.cells[pair].runs),
        )
        for table in build_tables(results)
        for pair in table.pairs
        for row in table.rows
        if pair in row.cells
    )


def panel_titles(series: Iterable[Series]) -> dict[tuple[str, Pair], str]:
    """Return a title for each protocol and pair; the protocol is named only where there are several."""
    keys = dict.fromkeys((each.protocol, each.pair) for each in series)
    several = len({protocol for protocol, _ in keys}) > 1
    labels = pair_labels(pair for _, pair in keys)
    return {(protocol, pair): labels[pair] + (f" ({protocol})" if several else "") for protocol, pair in keys}


def ordered_labels(series: Iterable[Series]) -> list[str]:
    """Return every label once, in the order of a table of all of them: source only, what adapts, target only."""
    kinds = {each.label: each.kind for each in series}
    return sorted(kinds, key=lambda label: (kinds[label] != "source-only") + (kinds[label] == "target-only"))


def checkpoint_titles(configs: Sequence[RunConfig]) -> list[str]:
    """Return a title for each checkpoint's run: its method, and its pair and seed where those differ."""
    titles, labels = [], pair_labels((config.source, config.target) for config in configs)
    for config in configs:
        parts = [preset_label(config.method, config.preset)]
        if len(labels) > 1:
            parts.append(labels[config.source, config.target])
        if len({other.seed for other in configs}) > 1:
            parts.append(f"seed {config.seed}")
        titles.append(", ".join(parts))
    return titles


def read_moments(folder: Path) -> tuple[Moment, ...]:
    """Read the evaluations of a run in order, with its terms.

    Raises
    ------
    UserError
        Where there is no ``metrics.jsonl``, or a line of it is broken.
    """
    checkpoints = read_history(folder)
    path = folder / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()[: len(checkpoints)]
    return tuple(
        Moment(checkpoint, _terms(line, f"{path}, line {number}"))
        for number, (checkpoint, line) in enumerate(zip(checkpoints, lines, strict=True), start=1)
    )


def _terms(line: str, where: str) -> dict[str, float]:
    try:
        return {name: float(value) for name, value in json.loads(line).get("terms", {}).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{where}: has terms that are no numbers ({error}); train the run again") from error


def read_predictions(folder: Path, method: str = "") -> Predictions | None:
    """Read the predictions of a run; None where it was made before runs wrote them.

    Parameters
    ----------
    folder
        The run's.
    method
        The run's, where the pick matters: of one that its last step makes, older versions picked what was not yet it.

    Raises
    ------
    UserError
        Where the file is there and cannot be read, or its arrays do not belong together.
    """
    path = folder / "predictions.npz"
    if not path.is_file():
        return None
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            labels, last, pick = (file[name].astype(np.int64) for name in ("labels", "last", "pick"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(
            f"{path}: cannot be read as the predictions of a run ({error}); move that run's folder away and train again"
        ) from error
    if labels.ndim != 1 or not len(labels) or not labels.shape == last.shape == pick.shape:
        shapes = f"{labels.shape}, {last.shape} and {pick.shape}"
        raise UserError(f"{path}: labels, last and pick must be equally long rows of classes, not {shapes}")
    if labels.min() < UNLABELLED or min(last.min(), pick.min()) < 0:
        raise UserError(f"{path}: holds a class below 0; train the run again")
    return Predictions(labels, last, last if only_at_end(method) else pick)

"""A table of runs: which runs may stand in one cell, and their mean and deviation over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from uda.errors import UserError
from uda.evaluation.labels import KINDS, method_kind, method_label, pair_label, pair_order
from uda.evaluation.runs import RunResult
from uda.methods.base import Kind

Pair = tuple[str, str]


@dataclass(frozen=True)
class Estimate:
    """Accuracies of the same thing under several seeds.

    Attributes
    ----------
    values
        Percent, one per seed.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over seeds."""
        return statistics.fmean(self.values)

    @property
    def std(self) -> float | None:
        """Sample standard deviation over seeds (n - 1 in the denominator); None for one seed."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def text(self) -> str:
        """Two decimals; the deviation only where there is one."""
        return f"{self.mean:.2f}" if self.std is None else f"{self.mean:.2f} ± {self.std:.2f}"


@dataclass(frozen=True)
class Cell:
    """The runs of one method on one pair: equal in all but the seed.

    Attributes
    ----------
    runs
        At least one, in the order of their seeds.
    facts
        What must be said of it because the cells beside it differ, e.g. ``"5,000 steps"``.
    """

    runs: tuple[RunResult, ...]
    facts: tuple[str, ...] = ()

    @property
    def last(self) -> Estimate:
        """Accuracy at the last step."""
        return Estimate(tuple(run.accuracy_last for run in self.runs))

    @property
    def pick(self) -> Estimate:
        """Accuracy at the step that the validator picked."""
        return Estimate(tuple(run.accuracy_validator for run in self.runs))

    @property
    def oracle(self) -> Estimate:
        """Best accuracy on the target test split: a bound, not a result."""
        return Estimate(tuple(run.accuracy_oracle for run in self.runs))

    @property
    def notes(self) -> tuple[str, ...]:
        """Every note of its runs once."""
        return tuple(dict.fromkeys(note for run in self.runs for note in run.notes.split("; ") if note))


@dataclass(frozen=True)
class Row:
    """One method under one setting.

    Attributes
    ----------
    label
        With what tells it from the other rows of its table.
    kind
        What it does about the shift, or which of the two bounds it is.
    cells
        By pair; a pair that was not run is not there.
    """

    label: str
    kind: Kind
    cells: Mapping[Pair, Cell]


@dataclass(frozen=True)
class Table:
    """All runs of one protocol.

    Attributes
    ----------
    protocol
        Its name.
    common
        What all runs share, e.g. ``"20,000 steps"``.
    by_pair
        What only all runs of a pair share, e.g. ``"MNIST → USPS: 2,007 test images"``.
    pairs
        In the order of the columns.
    rows
        Source only, then methods that adapt by their kind, then target only.
    """

    protocol: str
    common: tuple[str, ...]
    by_pair: tuple[str, ...]
    pairs: tuple[Pair, ...]
    rows: tuple[Row, ...]

    @property
    def runs(self) -> tuple[RunResult, ...]:
        """Every run in it."""
        return tuple(run for row in self.rows for cell in row.cells.values() for run in cell.runs)


# What runs of one method and preset may differ in, most telling first, and how a table says it.
_FACTS: dict[str, Callable[[Any], str]] = {
    "steps": lambda value: f"{value:,} steps",
    "validator": lambda value: f"validator {value}",
    "precision": str,
    "n_test": lambda value: f"{value:,} test images",
    "settings": lambda value: f"settings {value}" if value else "settings unknown",
}
_TOLD = tuple(fact for fact in _FACTS if fact != "settings")


def build_tables(results: Iterable[RunResult]) -> tuple[Table, ...]:
    """Arrange runs into one table per protocol, methods by pairs.

    Runs share a cell only where method, preset, pair, protocol, steps, validator, precision and number of test images
    are equal, and all other settings too as far as they are known. Otherwise they stand in separate rows, whose
    labels say what differs.

    Raises
    ------
    UserError
        Where there are no runs, or where one cell would hold two runs of one seed (a ``runs.csv`` does not say in
        which setting they differ).
    """
    by_protocol = _group(results, ("protocol",))
    if not by_protocol:
        raise UserError("there is no finished run to make a table of: a finished run folder has a result.json")
    return tuple(_table(str(key[0]), runs) for key, runs in sorted(by_protocol.items()))


def _group(results: Iterable[RunResult], by: Sequence[str]) -> dict[tuple[Any, ...], list[RunResult]]:
    groups: dict[tuple[Any, ...], list[RunResult]] = {}
    for result in results:
        groups.setdefault(tuple(getattr(result, name) for name in by), []).append(result)
    return groups


def _varies(results: Iterable[RunResult], fact: str) -> bool:
    return len({getattr(result, fact) for result in results}) > 1


def _varies_within_a_pair(results: Iterable[RunResult], fact: str) -> bool:
    return any(_varies(runs, fact) for runs in _group(results, ("source", "target")).values())


def _table(protocol: str, results: Sequence[RunResult]) -> Table:
    pairs = tuple(sorted({result.pair for result in results}, key=pair_order))
    common = [fact for fact in _TOLD if not _varies(results, fact)]
    by_pair = [fact for fact in _TOLD if fact not in common and not _varies_within_a_pair(results, fact)]
    by_row = [fact for fact in _TOLD if fact not in common + by_pair]
    rows = []
    for runs in sorted(_rows(results), key=_row_order):
        siblings = [
            r for r in results if all(getattr(r, f) == getattr(runs[0], f) for f in ("method", "preset", *by_row))
        ]
        facts = [fact for fact in by_row if not _varies(runs, fact)]
        facts += ["settings"] if _varies_within_a_pair(siblings, "settings") else []
        label = ", ".join([_name(runs[0]), *(_FACTS[fact](getattr(runs[0], fact)) for fact in facts)])
        rows.append(Row(label, method_kind(runs[0].method), _cells(label, runs, [f for f in by_row if f not in facts])))
    return Table(
        protocol,
        common=tuple(_FACTS[fact](getattr(results[0], fact)) for fact in common),
        by_pair=_told_by_pair(results, pairs, by_pair),
        pairs=pairs,
        rows=tuple(rows),
    )


def _told_by_pair(results: Sequence[RunResult], pairs: Sequence[Pair], facts: Sequence[str]) -> tuple[str, ...]:
    first = {pair: next(result for result in results if result.pair == pair) for pair in pairs}
    told = ((pair, ", ".join(_FACTS[fact](getattr(first[pair], fact)) for fact in facts)) for pair in pairs)
    return tuple(f"{pair_label(pair)}: {text}" for pair, text in told if text)


def _rows(results: Iterable[RunResult]) -> list[list[RunResult]]:
    """Divide runs until no pair of a row has runs that differ in more than the seed."""
    parts = list(_group(results, ("method", "preset")).values())
    for fact in _FACTS:
        parts = [
            piece
            for part in parts
            for piece in (_group(part, (fact,)).values() if _varies_within_a_pair(part, fact) else [part])
        ]
    return parts


def _name(run: RunResult) -> str:
    name = method_label(run.method)
    return name if run.preset in ("", "default") else f"{name} ({run.preset})"


def _row_order(runs: Sequence[RunResult]) -> tuple[Any, ...]:
    first = runs[0]
    return (KINDS.index(method_kind(first.method)), first.method, first.preset, *(getattr(first, f) for f in _FACTS))


def _cells(label: str, results: Sequence[RunResult], facts: Sequence[str]) -> dict[Pair, Cell]:
    cells = {}
    for runs in _group(results, ("source", "target")).values():
        ordered = sorted(runs, key=lambda run: run.seed)
        for one, other in pairwise(ordered):
            if one.seed == other.seed:
                raise UserError(
                    f"two runs of {label} on {pair_label(one.pair)} have seed {one.seed} but different settings "
                    f"(config {one.config_hash} and {other.config_hash}): give their run folders, which say what "
                    "differs, or only one of them"
                )
        cells[runs[0].pair] = Cell(tuple(ordered), tuple(_FACTS[fact](getattr(runs[0], fact)) for fact in facts))
    return cells

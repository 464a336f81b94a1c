"""A table of runs: which runs may stand in one cell, which are missing there, and what they are over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

from uda.errors import UserError
from uda.evaluation.folders import MissingRun
from uda.evaluation.labels import KINDS, method_kind, pair_label, pair_labels, pair_order, preset_label
from uda.evaluation.result import RunResult
from uda.methods.base import Kind
from uda.metrics.intervals import wilson_interval

Pair = tuple[str, str]


@dataclass(frozen=True)
class Estimate:
    """A quantity of the same thing under several seeds.

    Attributes
    ----------
    values
        One per seed: percent, where they are accuracies.
    decimals
        How many are written.
    """

    values: tuple[float, ...]
    decimals: int = 2

    @cached_property
    def mean(self) -> float:
        """Mean over seeds."""
        return statistics.fmean(self.values)

    @cached_property
    def std(self) -> float | None:
        """Sample standard deviation over seeds (n - 1 in the denominator); None for one seed."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def text(self) -> str:
        """The mean, and the deviation where there is one."""
        numbers = [self.mean] if self.std is None else [self.mean, self.std]
        return " ± ".join(f"{number:.{self.decimals}f}" for number in numbers)


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

    @cached_property
    def last(self) -> Estimate:
        """Accuracy at the last step."""
        return Estimate(tuple(run.accuracy_last for run in self.runs))

    @cached_property
    def pick(self) -> Estimate:
        """Accuracy at the step that the validator picked."""
        return Estimate(tuple(run.accuracy_validator for run in self.runs))

    @cached_property
    def oracle(self) -> Estimate:
        """Best accuracy on the target test split: a bound, not a result."""
        return Estimate(tuple(run.accuracy_oracle for run in self.runs))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Its seeds."""
        return tuple(run.seed for run in self.runs)

    @property
    def data(self) -> str:
        """Which files its runs have read; empty where no run of the pair is known to have read others."""
        return self.runs[0].data

    @property
    def n_test(self) -> int:
        """Number of target test images, the same in all its runs."""
        return self.runs[0].n_test

    def interval(self, estimate: Estimate) -> tuple[float, float]:
        """Return the 95 % interval (Wilson's) that a test set of this size leaves a mean of accuracies, in percent."""
        return wilson_interval(estimate.mean, self.n_test)

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
        By pair; a pair without a finished run is not there.
    missing
        By pair: runs that belong here and have no result.
    """

    label: str
    kind: Kind
    cells: Mapping[Pair, Cell]
    missing: Mapping[Pair, tuple[MissingRun, ...]] = field(default_factory=dict)


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
        What only all runs of a pair share, e.g. ``"MNIST → USPS: 2,000 steps"``.
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

    @cached_property
    def labels(self) -> Mapping[Pair, str]:
        """What its pairs are called in it."""
        return pair_labels(self.pairs)

    @property
    def runs(self) -> tuple[RunResult, ...]:
        """Every run in it."""
        return tuple(run for row in self.rows for cell in row.cells.values() for run in cell.runs)


# What runs of one method and preset may differ in, most telling first, and how a table says it.
_FACTS: dict[str, Callable[[Any], str]] = {
    "steps": lambda value: f"{value:,} step{'s' if value != 1 else ''}",
    "validator": lambda value: f"validator {value}",
    "precision": str,
    "n_test": lambda value: f"{value:,} test images",
    "data": lambda value: f"data {value[:6] or 'unknown'}",
    "settings": lambda value: _settings_label(value),
}
_DIVIDING = tuple(fact for fact in _FACTS if fact != "settings")
#: The number of test images is told with the interval that it leaves, and data only where they differ.
_TOLD = tuple(fact for fact in _DIVIDING if fact not in ("n_test", "data"))


def build_tables(results: Iterable[RunResult], missing: Iterable[MissingRun] = ()) -> tuple[Table, ...]:
    """Arrange runs into one table per protocol, methods by pairs.

    Runs share a cell only where method, preset, pair, protocol, steps, validator, precision and number of test images
    are equal, and so are all other settings and the files that were read, as far as they are known. Otherwise they
    stand in separate rows, whose labels say what differs.

    Parameters
    ----------
    results
        Finished runs.
    missing
        Runs without a result: they are put where their result would stand.

    Raises
    ------
    UserError
        Where there are no finished runs, or where one cell would hold two runs of one seed (a ``runs.csv`` does not
        say in which setting they differ).
    """
    finished, begun = _where_data_differ(results), list(missing)
    both: list[RunResult | MissingRun] = [*finished, *begun]
    if not finished:
        raise UserError("there is no finished run to make a table of: a finished run folder has a result.json")
    return tuple(
        _table(protocol, [r for r in finished if r.protocol == protocol], [r for r in begun if r.protocol == protocol])
        for protocol in sorted({run.protocol for run in both})
    )


def _group(results: Iterable[RunResult], by: Sequence[str]) -> dict[tuple[Any, ...], list[RunResult]]:
    groups: dict[tuple[Any, ...], list[RunResult]] = {}
    for result in results:
        groups.setdefault(tuple(getattr(result, name) for name in by), []).append(result)
    return groups


def _where_data_differ(results: Iterable[RunResult]) -> list[RunResult]:
    """Forget which files the runs of a pair have read, where all of which it is known have read the same."""
    kept = []
    for runs in _group(results, ("protocol", "source", "target")).values():
        known = {run.data for run in runs if run.data}
        kept += runs if len(known) > 1 else [replace(run, data="") for run in runs]
    return kept


def _settings_label(settings: str) -> str:
    """Return what `uda.evaluation.differences.tell_settings` wrote as it is; a hash, or none, is named as such."""
    return settings if " " in settings else f"settings {settings or 'unknown'}"


def _varies(results: Iterable[RunResult], fact: str) -> bool:
    return len({getattr(result, fact) for result in results}) > 1


def _varies_within_a_pair(results: Iterable[RunResult], fact: str) -> bool:
    return any(_varies(runs, fact) for runs in _group(results, ("source", "target")).values())


def _table(protocol: str, results: Sequence[RunResult], missing: Sequence[MissingRun]) -> Table:
    both: list[RunResult | MissingRun] = [*results, *missing]
    pairs = tuple(sorted({run.pair for run in both}, key=pair_order))
    common = [fact for fact in _DIVIDING if not _varies(results, fact)]
    by_pair = [fact for fact in _DIVIDING if fact not in common and not _varies_within_a_pair(results, fact)]
    by_row = [fact for fact in _DIVIDING if fact not in common + by_pair]
    like = ("method", "preset", *by_row)
    alike = _group(results, like)
    grouped = sorted(_rows(results), key=_row_order)
    usual = {fact: _usual(grouped, fact) for fact in by_row if fact in _TOLD}
    rows = []
    for runs in grouped:
        siblings = alike[tuple(getattr(runs[0], fact) for fact in like)]
        facts = [fact for fact in by_row if not _varies(runs, fact)]
        facts += ["settings"] if _varies_within_a_pair(siblings, "settings") else []
        told = [fact for fact in facts if getattr(runs[0], fact) != usual.get(fact)]
        label = ", ".join(
            [preset_label(runs[0].method, runs[0].preset), *(_FACTS[fact](getattr(runs[0], fact)) for fact in told)]
        )
        rows.append(Row(label, method_kind(runs[0].method), _cells(label, runs, [f for f in by_row if f not in facts])))
    return Table(
        protocol,
        common=(
            *(_FACTS[fact](getattr(results[0], fact)) for fact in common if results and fact in _TOLD),
            *(f"{_FACTS[fact](value)} where they do not say otherwise" for fact, value in usual.items() if value),
        ),
        by_pair=_told_by_pair(results, pairs, [fact for fact in by_pair if fact in _TOLD]),
        pairs=pairs,
        rows=_with_missing(rows, missing),
    )


def _usual(rows: Sequence[Sequence[RunResult]], fact: str) -> Any:
    """Return the value of a fact that more than half of the rows share throughout; None where there is none."""
    values = [getattr(runs[0], fact) for runs in rows if not _varies(runs, fact)]
    commonest = max(values, key=values.count, default=None)
    return commonest if 2 * values.count(commonest) > len(rows) else None


def _with_missing(rows: Sequence[Row], missing: Sequence[MissingRun]) -> tuple[Row, ...]:
    """Add each missing run to the row that its result would stand in, or to a new row of its method and preset."""
    missing_of: dict[int, list[MissingRun]] = {}
    homeless: dict[tuple[str, str], list[MissingRun]] = {}
    for run in missing:
        likeness = [_likeness(row, run) for row in rows]
        if any(likeness):
            missing_of.setdefault(likeness.index(max(likeness)), []).append(run)
        else:
            homeless.setdefault((run.method, run.preset), []).append(run)
    filled = [replace(row, missing=_by_pair(missing_of.get(place, ()))) for place, row in enumerate(rows)]
    filled += [
        Row(preset_label(runs[0].method, runs[0].preset), method_kind(runs[0].method), {}, _by_pair(runs))
        for runs in homeless.values()
    ]
    return tuple(sorted(filled, key=lambda row: KINDS.index(row.kind)))


def _likeness(row: Row, run: MissingRun) -> int:
    """Return 0 where a run cannot stand in a row, more where more of what it is, is equal."""
    others = [other for cell in row.cells.values() for other in cell.runs]
    if not others or (others[0].method, others[0].preset) != (run.method, run.preset):
        return 0
    here = [other for other in others if other.pair == run.pair]
    facts = [fact for fact in _FACTS if getattr(run, fact, "")]
    if any(getattr(other, fact) not in (getattr(run, fact), "") for other in here[:1] for fact in facts):
        return 0
    alike = [[fact for fact in facts if getattr(other, fact) == getattr(run, fact)] for other in others]
    return 1 + max(map(len, alike))


def _by_pair(missing: Iterable[MissingRun]) -> dict[Pair, tuple[MissingRun, ...]]:
    found: dict[Pair, tuple[MissingRun, ...]] = {}
    for run in sorted(missing, key=lambda run: run.seed):
        found[run.pair] = (*found.get(run.pair, ()), run)
    return found


def _told_by_pair(results: Sequence[RunResult], pairs: Sequence[Pair], facts: Sequence[str]) -> tuple[str, ...]:
    first = {result.pair: result for result in reversed(results)}
    told = (
        (pair, ", ".join(_FACTS[fact](getattr(first[pair], fact)) for fact in facts)) for pair in pairs if pair in first
    )
    labels = pair_labels(pairs)
    return tuple(f"{labels[pair]}: {text}" for pair, text in told if text)


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


def what_became_of(missing: Iterable[MissingRun]) -> list[str]:
    """Return a sentence for each reason for which runs of a cell are missing, with their seeds."""
    seeds: dict[str, list[str]] = {}
    for run in missing:
        seeds.setdefault(run.reason, []).append(str(run.seed))
    return [f"seed{'s' if len(those) > 1 else ''} {', '.join(those)}: {reason}" for reason, those in seeds.items()]

"""Runs whose target has no labels to test on: what label-free validators think of them, methods by validators."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from uda.errors import UserError
from uda.evaluation.folders import read_trained_on
from uda.evaluation.formats import html, latex, markdown, plain
from uda.evaluation.history import read_history
from uda.evaluation.labels import adapts, kind_heading
from uda.evaluation.parts import DASH, Column, Entry, Footnotes, Layout, Section
from uda.evaluation.ranking import Rank, rank
from uda.evaluation.runs import FoundRuns, readable
from uda.evaluation.table import Cell, Pair, Table, build_tables
from uda.evaluation.write import Format

#: What is shown beside the runs' own validator: of different kinds, so that what flatters one need not flatter another.
SHOWN = ("information-maximization", "bnm", "consistency", "class-cluster")
_DECIMALS = 4
_FLATTERED = "trains on this score, and is not ranked by it"
_WRITERS = {"md": markdown, "latex": latex, "html": html}


@dataclass(frozen=True)
class Scores:
    """What a run's folder says of it without a target label.

    Attributes
    ----------
    last
        Of each validator at the last step, larger is better.
    trained_on
        Validators whose score is in the run's loss.
    """

    last: Mapping[str, float]
    trained_on: tuple[str, ...]


def read_scores(folder: Path) -> Scores:
    """Read the scores of a finished run's last step; `UserError` where its evaluations cannot be read."""
    return Scores(read_history(folder)[-1].scores, read_trained_on(folder))


def write_scores(found: FoundRuns, form: Format = "text", width: int = 100) -> str:
    """Write a table for each protocol and pair of the runs that have no accuracy.

    Parameters
    ----------
    found
        From `uda.evaluation.runs.find_runs`; its ``unscored`` runs, at least one, and their folders.
    form
        ``"md"``, ``"latex"``, ``"html"`` or ``"text"``.
    width
        Of plain text, in characters.

    Raises
    ------
    UserError
        For ``"csv"``, and for runs that cannot stand in one table.
    """
    if form == "csv":
        raise UserError("--format csv: has a column for each accuracy, and these runs have none; give another format")
    sound, scores = readable(FoundRuns(found.unscored, folders=found.folders), read_scores)
    layouts = [
        lay_out_scores(table, pair, scores, sound.broken)
        for table in build_tables(sound.results)
        for pair in table.pairs
    ]
    return "\n".join(plain(layout, width) if form == "text" else _WRITERS[form](layout) for layout in layouts)


def lay_out_scores(table: Table, pair: Pair, scores: Mapping[str, Scores], broken: Sequence[str] = ()) -> Layout:
    """Arrange the scores of a pair's runs at the last step, in the order of the table's rows.

    Parameters
    ----------
    table
        From `uda.evaluation.table.build_tables`.
    pair
        One of its pairs.
    scores
        By config hash.
    broken
        What could not be read, a sentence each.
    """
    cells = {number: row.cells[pair] for number, row in enumerate(table.rows) if pair in row.cells}
    own = [run.validator for cell in cells.values() for run in cell.runs]
    names = [name for name in dict.fromkeys((*own, *SHOWN)) if any(_by_row(cells, scores, name).values())]
    ranks = {name: _ranks(table, cells, scores, name) for name in names}
    footnotes = Footnotes()

    def entries(number: int) -> tuple[Entry, ...]:
        cell = cells[number]
        notes = footnotes.marks((*cell.facts, *cell.notes))
        row = [Entry(table.rows[number].label, marks=notes), Entry(str(len(cell.runs)), number=len(cell.runs))]
        for name in names:
            marks = footnotes.marks([_FLATTERED]) if _flattered(cell, scores, name) else ()
            row.append(_entry(_values(cell, scores, name), ranks[name].get(number, ""), marks))
        return tuple(row)

    return Layout(
        title=f"{table.labels[pair]}, protocol {table.protocol}: no accuracy, as no target test image has a label",
        explanation=(
            "Scores of label-free validators at the last step, mean ± sample standard deviation over n seeds; larger "
            "is better. They order methods, and do not say by how much one is better; how well each orders them where "
            "labels are known, `uda validators` tells. Some hundred labelled test images give the accuracy to within a "
            "few points (`uda eval`).",
            *((f"All rows: {', '.join(table.common)}.",) if table.common else ()),
        ),
        columns=(Column(Entry("Method"), wordy=True), Column(Entry("n")), *(Column(Entry(name)) for name in names)),
        sections=tuple(
            Section(kind_heading(kind), tuple(entries(number) for number in group), kind)
            for kind, group in groupby(cells, key=lambda number: table.rows[number].kind)
        ),
        footnotes=footnotes.listed(),
        remarks=tuple(broken),
        ranked="of the methods that adapt in its column",
    )


def _values(cell: Cell, scores: Mapping[str, Scores], name: str) -> list[float]:
    """Return a validator's scores of a cell's runs; none where it did not score all of them."""
    found = [scores[run.config_hash].last.get(name, math.nan) for run in cell.runs]
    return [] if any(math.isnan(value) for value in found) else found


def _by_row(cells: Mapping[int, Cell], scores: Mapping[str, Scores], name: str) -> dict[int, list[float]]:
    return {number: _values(cell, scores, name) for number, cell in cells.items()}


def _flattered(cell: Cell, scores: Mapping[str, Scores], name: str) -> bool:
    return any(name in scores[run.config_hash].trained_on for run in cell.runs)


def _ranks(table: Table, cells: Mapping[int, Cell], scores: Mapping[str, Scores], name: str) -> dict[int, Rank]:
    """Rank the methods that adapt and do not train on a validator's score by it."""
    return rank(
        {
            number: statistics.fmean(values)
            for number, values in _by_row(cells, scores, name).items()
            if values and adapts(table.rows[number].kind) and not _flattered(cells[number], scores, name)
        },
        _DECIMALS,
    )


def _entry(values: Sequence[float], best: Rank, marks: tuple[str, ...]) -> Entry:
    if not values:
        return Entry(DASH)
    mean = statistics.fmean(values)
    spread = f" ± {statistics.stdev(values):.{_DECIMALS}f}" if len(values) > 1 else ""
    return Entry(f"{mean:.{_DECIMALS}f}{spread}", best, marks, mean)

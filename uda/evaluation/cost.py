"""The layout of what runs cost: their wall time and their speed, methods by pairs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import groupby

from uda.evaluation.explanation import left_out
from uda.evaluation.labels import kind_heading
from uda.evaluation.parts import DASH, Column, Entry, Layout, Section
from uda.evaluation.table import Cell, Pair, Row, Table


def lay_out_cost(table: Table, broken: Sequence[str] = ()) -> Layout:
    """Arrange what the runs of a table cost, in the order of its rows.

    Parameters
    ----------
    table
        From `uda.evaluation.table.build_tables`.
    broken
        What could not be read, a sentence each.
    """
    devices = ", ".join(sorted({run.device for run in table.runs}))
    columns = [Column(Entry("Method"), wordy=True)]
    columns += [Column(Entry(table.labels[pair]), ("seconds", "steps/s", "n")) for pair in table.pairs]
    sections = [
        Section(kind_heading(kind), tuple(_row(row, table.pairs) for row in rows), kind)
        for kind, rows in groupby(table.rows, key=lambda row: row.kind)
    ]
    return Layout(
        title=f"Protocol {table.protocol}: what a run cost",
        explanation=(
            "Seconds: wall time of all updates, without loading and evaluations. Steps/s: updates in a second of it. "
            f"Medians over n seeds, on {devices}, which may have been busy with other runs at the time.",
            *((f"All rows: {', '.join(table.common)}.",) if table.common else ()),
            *((f"{'; '.join(table.by_pair)}.",) if table.by_pair else ()),
        ),
        columns=tuple(columns),
        sections=tuple(sections),
        footnotes=(),
        remarks=tuple(left_out(broken)),
    )


def _row(row: Row, pairs: Sequence[Pair]) -> tuple[Entry, ...]:
    return Entry(row.label), *(entry for pair in pairs for entry in _entries(row.cells.get(pair)))


def _entries(cell: Cell | None) -> tuple[Entry, ...]:
    if cell is None:
        return Entry(DASH), Entry(), Entry()
    seconds = statistics.median(run.seconds for run in cell.runs)
    speed = statistics.median(run.steps_per_second for run in cell.runs)
    count = len(cell.runs)
    return (
        Entry(f"{seconds:,.0f}", number=seconds),
        Entry(f"{speed:,.1f}", number=speed),
        Entry(str(count), number=count),
    )

"""The layout for a README: one number for each method and pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from uda.evaluation.explanation import left_out
from uda.evaluation.labels import kind_heading
from uda.evaluation.layout import Headline, notes_of_cell, notes_of_pair, ranks_of
from uda.evaluation.parts import DASH, Column, Entry, Footnotes, Layout, Section
from uda.evaluation.ranking import Rank, Which, average, averaged_pairs, estimate
from uda.evaluation.table import Cell, Estimate, Row, Table

_WHICH: dict[Headline, Which] = {"last": "last", "validator": "pick"}
_SAID: dict[Which, str] = {"last": "at the last step", "pick": "at the validator's pick", "oracle": "at its best"}


def lay_out_brief(table: Table, headline: Headline = "last", broken: Sequence[str] = ()) -> Layout:
    """Arrange a table of runs with one accuracy in each cell, to one decimal, and their average over the pairs.

    Parameters
    ----------
    table
        From `uda.evaluation.table.build_tables`.
    headline
        Whether it is the accuracy at the last step or at the validator's pick.
    broken
        What could not be read, a sentence each.
    """
    which = _WHICH[headline]
    counts = Counter(len(cell.runs) for row in table.rows for cell in row.cells.values())
    usual = max(counts, key=lambda n: (n > 1, counts[n], n))
    ranks = ranks_of(table, (which,), decimals=1)
    footnotes = Footnotes()
    columns = [Column(Entry("Method"), wordy=True)]
    columns += [
        Column(Entry(label, marks=footnotes.marks(notes_of_pair(table, p)))) for p, label in table.labels.items()
    ]
    averaged = len(averaged_pairs(table)) > 1

    def entries(number: int, row: Row) -> tuple[Entry, ...]:
        found = []
        for pair in table.pairs:
            marks = footnotes.marks(notes_of_cell(table, pair, row.cells[pair])) if pair in row.cells else ()
            rank = ranks.get((pair, which), {}).get(number, "")
            found.append(_entry(row.cells.get(pair), which, usual, rank, marks))
        mean = average(table, number, which)
        rank = ranks[None, which].get(number, "")
        of_all = Entry(DASH) if mean is None else Entry(f"{mean:.1f}", rank, number=mean)
        return Entry(row.label), *found, *((of_all,) if averaged else ())

    sections = [
        Section(kind_heading(kind), tuple(entries(number, row) for number, row in group), kind)
        for kind, group in groupby(enumerate(table.rows), key=lambda numbered: numbered[1].kind)
    ]
    explanation = [
        f"Accuracy {_SAID[which]}, {_over_seeds(usual)}{'; (n): over n' if len(counts) > 1 else ''}.",
        *((f"All rows: {', '.join(table.common)}.",) if table.common else ()),
        *((f"{'; '.join(table.by_pair)}.",) if table.by_pair else ()),
    ]
    return Layout(
        title=f"Protocol {table.protocol}: accuracy on the target test split, percent",
        explanation=tuple(explanation),
        columns=(*columns, *((Column(Entry("Average")),) if averaged else ())),
        sections=tuple(sections),
        footnotes=footnotes.listed(),
        remarks=tuple(left_out(broken)),
        ranked="of the methods that adapt in its column",
    )


def _over_seeds(usual: int) -> str:
    return f"mean ± sample standard deviation over {usual} seeds" if usual > 1 else "of one seed each"


def _entry(cell: Cell | None, which: Which, usual: int, rank: Rank, marks: tuple[str, ...]) -> Entry:
    if cell is None:
        return Entry(DASH)
    found = estimate(cell, which)
    n = len(cell.runs)
    return Entry(_short(found) + (f" ({n})" if n != usual else ""), rank, marks, found.mean)


def _short(found: Estimate) -> str:
    return f"{found.mean:.1f}" if found.std is None else f"{found.mean:.1f} ± {found.std:.1f}"

"""The usual results table: methods by pairs, three accuracies each, published numbers of the same pairs below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from uda.evaluation.averages import remark_on_average
from uda.evaluation.comparability import equal_protocol, pair_notes, published_notes
from uda.evaluation.explanation import (
    NOT_FROM_BEST,
    NOT_FROM_SOURCE_ONLY,
    ONE_SEED,
    TEST_MARKS,
    Headline,
    explain,
    remark,
)
from uda.evaluation.folders import MissingRun
from uda.evaluation.labels import adapts, kind_heading
from uda.evaluation.parts import DASH, Column, Entry, Footnotes, Layout, Section
from uda.evaluation.published import PublishedResult, published_name
from uda.evaluation.ranking import Rank, Which, average, averaged_pairs, competing, estimate, rank
from uda.evaluation.significance import Against, Significance, compare
from uda.evaluation.table import Cell, Pair, Row, Table, what_became_of

__all__ = ["Column", "Entry", "Headline", "Layout", "Section", "lay_out"]

#: The three accuracies from the left.
ORDERS: dict[Headline, tuple[Which, ...]] = {
    "last": ("last", "pick", "oracle"),
    "validator": ("pick", "last", "oracle"),
}
_TESTS: tuple[tuple[str, Against], ...] = ((NOT_FROM_BEST, "best"), (NOT_FROM_SOURCE_ONLY, "source-only"))


def lay_out(
    table: Table,
    published: Sequence[PublishedResult] = (),
    headline: Headline = "last",
    broken: Sequence[str] = (),
    significance: Significance | None = None,
) -> Layout:
    """Arrange a table of runs and, under it, published results of the same pairs.

    Parameters
    ----------
    table
        From `uda.evaluation.table.build_tables`.
    published
        From `uda.evaluation.published.select_published`; those of other pairs are left out.
    headline
        Which accuracy stands first in each pair's columns: at the last step or at the validator's pick. Published
        numbers stand under it.
    broken
        What could not be read, a sentence each.
    significance
        From `uda.evaluation.significance.compare`, where it is there already.
    """
    return _Arrangement(table, published, headline, significance or compare(table)).layout(broken)


@dataclass
class _Arrangement:
    table: Table
    published: Sequence[PublishedResult]
    headline: Headline
    significance: Significance
    footnotes: Footnotes = field(default_factory=Footnotes)
    tests: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        names = {(published_name(source), published_name(target)) for source, target in self.table.pairs}
        self.shown = [result for result in self.published if (result.source, result.target) in names]
        self.order = ORDERS[self.headline]
        self.several_n = any(len({len(cell.runs) for cell in row.cells.values()}) > 1 for row in self.table.rows)
        self.averaged = len(averaged_pairs(self.table)) > 1
        self.ranks = ranks_of(self.table, self.order)
        # Where nothing is tested, a sentence says so and no cell needs a mark.
        self.some_tested = any(comparison.tested for comparison in self.significance.comparisons.values())

    def layout(self, broken: Sequence[str]) -> Layout:
        columns = self._columns()
        sections = self._our_sections()
        if self.shown:
            sections.append(Section("Published", tuple(self._published_rows()), "published"))
        explanation = explain(self.table, self.headline)
        if self.averaged:
            explanation.append(self._what_is_averaged())
        if any(entry.text == DASH for section in sections for row in section.rows for entry in row):
            explanation.append(f"{DASH}: not run, or not reported.")
        return Layout(
            title=f"Protocol {self.table.protocol}: accuracy on the target test split, percent",
            explanation=tuple(explanation),
            columns=tuple(columns),
            sections=tuple(sections),
            footnotes=(
                *((mark, text) for mark, text in TEST_MARKS.items() if mark in self.tests),
                *self.footnotes.listed(),
            ),
            remarks=(
                *remark_on_average(self.table, self.order[0]),
                *remark(self.table, self.significance, bool(self.shown), broken),
            ),
            ranked="of the methods that adapt in its column",
        )

    def _what_is_averaged(self) -> str:
        averaged = averaged_pairs(self.table)
        left_out = [label for pair, label in self.table.labels.items() if pair not in averaged]
        but = f" but {' and '.join(left_out)}, where nothing that adapts was run" if left_out else ""
        return f"Average: of {self.order[0]} over all pairs{but}, for rows that have them all."

    def _columns(self) -> list[Column]:
        columns = [Column(Entry("Method"), wordy=True)]
        if not self.several_n:
            columns.append(Column(Entry("n")))
        subcolumns = (*self.order, "n") if self.several_n else self.order
        columns += [Column(self._pair_heading(pair), subcolumns) for pair in self.table.pairs]
        if self.averaged:
            columns.append(Column(Entry("Average"), self.order[:1]))
        if self.shown:
            columns.append(Column(Entry("Reference"), wordy=True))
        return columns

    def _pair_heading(self, pair: Pair) -> Entry:
        notes = [*notes_of_pair(self.table, pair), *(pair_notes(pair) if self.shown else ())]
        return Entry(self.table.labels[pair], marks=self.footnotes.marks(notes))

    def _our_sections(self) -> list[Section]:
        rows = enumerate(self.table.rows)
        return [
            Section(kind_heading(kind), tuple(self._our_row(number, row) for number, row in group), kind)
            for kind, group in groupby(rows, key=lambda numbered: numbered[1].kind)
        ]

    def _our_row(self, number: int, row: Row) -> tuple[Entry, ...]:
        entries = [Entry(row.label)]
        if not self.several_n:
            counts = [len(cell.runs) for cell in row.cells.values()]
            entries.append(Entry(str(counts[0]), number=counts[0]) if counts else Entry(DASH))
        for pair in self.table.pairs:
            missing = row.missing.get(pair, ())
            if pair in row.cells:
                entries += self._cell(number, pair, row.cells[pair], missing)
            else:
                marks = self.footnotes.marks(what_became_of(missing))
                entries += [Entry(DASH, marks=marks), *[Entry()] * (len(self.order) - 1 + self.several_n)]
        if self.averaged:
            mean, which = average(self.table, number, self.order[0]), self.order[0]
            best = self.ranks[None, which].get(number, "")
            entries.append(Entry(DASH) if mean is None else Entry(f"{mean:.2f}", best, number=mean))
        return (*entries, Entry()) if self.shown else tuple(entries)

    def _cell(self, number: int, pair: Pair, cell: Cell, missing: Sequence[MissingRun]) -> list[Entry]:
        notes = [*notes_of_cell(self.table, pair, cell), *what_became_of(missing)]
        entries = []
        for place, which in enumerate(self.order):
            found = estimate(cell, which)
            best = self.ranks.get((pair, which), {}).get(number, "")
            marks = self._test_marks(number, pair, which, best)
            marks += self.footnotes.marks(notes) if place == 0 else ()
            entries.append(Entry(found.text, best, marks, found.mean, cell.interval(found)))
        if self.several_n:
            entries.append(Entry(str(len(cell.runs)), number=len(cell.runs)))
        return entries

    def _test_marks(self, number: int, pair: Pair, which: Which, best: Rank) -> tuple[str, ...]:
        found = []
        for mark, against in _TESTS if self.some_tested else ():
            comparison = self.significance.comparisons.get((number, pair, which, against))
            if comparison and not comparison.significant and (best, against) != ("best", "best"):
                found.append(mark if comparison.tested else ONE_SEED)
        self.tests.update(found)
        return tuple(dict.fromkeys(found))

    def _published_rows(self) -> Iterable[tuple[Entry, ...]]:
        """Give each method one row; a second one only for a pair that it has two numbers of. Our protocol's first."""
        blank = [Entry()] * (len(self.order) - 1 + self.several_n)
        by_method: dict[tuple[str, str], list[PublishedResult]] = {}
        for result in self.shown:
            by_method.setdefault((result.method, result.citation), []).append(result)
        for (method, citation), results in by_method.items():
            columns = [self._ranked(pair, results) for pair in self.table.pairs]
            for line in range(max(map(len, columns))):
                found = [column[line] if line < len(column) else None for column in columns]
                entries = [Entry(method)] if self.several_n else [Entry(method), Entry()]
                for pair, number in zip(self.table.pairs, found, strict=True):
                    entries += [self._published_entry(pair, number) if number else Entry(DASH), *blank]
                if self.averaged:
                    pairs = zip(self.table.pairs, found, strict=True)
                    entries.append(_published_average([n for pair, n in pairs if pair in averaged_pairs(self.table)]))
                yield (*entries, Entry(citation))

    def _ranked(self, pair: Pair, results: Iterable[PublishedResult]) -> list[PublishedResult]:
        wanted = published_name(pair[0]), published_name(pair[1])
        found = [result for result in results if (result.source, result.target) == wanted]
        return sorted(found, key=lambda result: result.protocol != equal_protocol(self.table.protocol, pair))

    def _published_entry(self, pair: Pair, result: PublishedResult) -> Entry:
        marks = self.footnotes.marks(published_notes(self.table.protocol, pair, result))
        return Entry(result.text, marks=marks, number=float(result.accuracy))


def notes_of_pair(table: Table, pair: Pair) -> tuple[str, ...]:
    """Return the notes that every cell of a pair has."""
    cells = [row.cells[pair] for row in table.rows if pair in row.cells]
    return tuple(note for note in cells[0].notes if all(note in cell.notes for cell in cells)) if cells else ()


def notes_of_cell(table: Table, pair: Pair, cell: Cell) -> tuple[str, ...]:
    """Return the facts of a cell, and its notes that not every cell of its pair has."""
    noted = notes_of_pair(table, pair)
    return *cell.facts, *(note for note in cell.notes if note not in noted)


def ranks_of(
    table: Table, order: Sequence[Which], decimals: int = 2
) -> Mapping[tuple[Pair | None, Which], Mapping[int, Rank]]:
    """Return the ranks of our rows in each column but the oracles'; the average's pair is None.

    Parameters
    ----------
    table
        From `uda.evaluation.table.build_tables`.
    order
        The three accuracies from the left; the first is what is averaged.
    decimals
        How many are shown.
    """
    found: dict[tuple[Pair | None, Which], dict[int, Rank]] = {}
    for pair in table.pairs:
        for which in ("last", "pick"):
            cells = competing(table, pair).items()
            found[pair, which] = rank({row: estimate(cell, which).mean for row, cell in cells}, decimals)
    averages = {n: average(table, n, order[0]) for n, row in enumerate(table.rows) if adapts(row.kind)}
    found[None, order[0]] = rank({row: mean for row, mean in averages.items() if mean is not None}, decimals)
    return found


def _published_average(results: Sequence[PublishedResult | None]) -> Entry:
    """Average what a paper reports, where it has all pairs and measured them alike; as precise as its roughest one."""
    known = [result for result in results if result]
    if len(known) < len(results) or len({(result.protocol, result.notes) for result in known}) > 1:
        return Entry(DASH)
    mean = sum(float(result.accuracy) for result in known) / len(known)
    decimals = min(len(result.accuracy.partition(".")[2]) for result in known)
    return Entry(f"{mean:.{decimals}f}", number=mean)

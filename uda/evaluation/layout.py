"""What stands where in a results table: columns, sections, footnotes and what is best. Knows nothing of formats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from uda.data.protocols import PROTOCOLS
from uda.evaluation.labels import adapts, domain_label, pair_label
from uda.evaluation.published import ALIASES, PublishedResult, published_name
from uda.evaluation.table import Cell, Estimate, Pair, Row, Table

Headline = Literal["last", "validator"]

_SUBCOLUMNS: dict[Headline, tuple[str, ...]] = {
    "last": ("last", "pick", "oracle"),
    "validator": ("pick", "last", "oracle"),
}

# The published protocol that ours repeats: the same training images.
_EQUAL_PROTOCOLS = {
    "standard": "full",
    "standard-balanced": "full",
    "unit-2017": "full",
    "unit-2017-train": "full",
    "cogan-small": "small",
}
_PUBLISHED_PROTOCOLS = {
    "full": "the full training sets",
    "small": "2,000 MNIST and 1,800 USPS training images",
    "svhn-extra": "SVHN extra (531,131 images) as source",
}
_PUBLISHED_NOTES = {"best-on-target-test": "the best on the target test split during training: an oracle's number"}
_PROVENANCE = {"authors": "from the authors' code or logs, not from a paper", "rerun": "somebody else's re-run"}


@dataclass(frozen=True)
class Entry:
    """What stands in one place: its text, whether it is the best of its column, and the marks of its footnotes."""

    text: str = ""
    best: bool = False
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """One column, or one pair's group of them where it has subcolumns."""

    heading: Entry
    subcolumns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """Rows under a heading of their own; no heading for our rows."""

    heading: str
    rows: tuple[tuple[Entry, ...], ...]


@dataclass(frozen=True)
class Layout:
    """A table, ready to be written in any format.

    Attributes
    ----------
    title
        One line.
    explanation
        Sentences that stand above the table.
    columns
        Method, n, one group per pair, and the reference where there are published rows.
    sections
        Our rows, then the published ones. A row has one entry per subcolumn.
    footnotes
        (mark, text).
    remarks
        Footnotes of the whole table.
    """

    title: str
    explanation: tuple[str, ...]
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    footnotes: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]


@dataclass
class _Footnotes:
    texts: list[str] = field(default_factory=list)

    def marks(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the marks of some footnotes: a, b, …, z, aa, …; the same text has the same mark."""
        for text in texts:
            if text not in self.texts:
                self.texts.append(text)
        return tuple(_mark(self.texts.index(text)) for text in texts)

    def listed(self) -> tuple[tuple[str, str], ...]:
        return tuple((_mark(number), text) for number, text in enumerate(self.texts))


def _mark(number: int) -> str:
    letter = chr(ord("a") + number % 26)
    return letter if number < 26 else _mark(number // 26 - 1) + letter


def lay_out(table: Table, published: Sequence[PublishedResult], headline: Headline) -> Layout:
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
    """
    footnotes = _Footnotes()
    pairs = {(published_name(s), published_name(t)) for s, t in table.pairs}
    shown = [result for result in published if (result.source, result.target) in pairs]
    subcolumns = _SUBCOLUMNS[headline]
    columns = [Column(Entry("Method")), Column(Entry("n"))]
    columns += [Column(_pair_heading(table, pair, bool(shown), footnotes), subcolumns) for pair in table.pairs]
    sections = [Section("", tuple(_our_row(table, row, subcolumns, footnotes, bool(shown)) for row in table.rows))]
    if shown:
        columns.append(Column(Entry("Reference")))
        sections.append(Section("Published", tuple(_published_rows(table, shown, subcolumns, footnotes))))
    return Layout(
        title=f"Protocol {table.protocol}: accuracy on the target test split, percent",
        explanation=_explanation(table, headline),
        columns=tuple(columns),
        sections=tuple(sections),
        footnotes=footnotes.listed(),
        remarks=_remarks(table, bool(shown)),
    )


def _explanation(table: Table, headline: Headline) -> tuple[str, ...]:
    protocol = PROTOCOLS.get(table.protocol)
    lines = [f"{protocol.description[:1].upper()}{protocol.description[1:]}."] if protocol else []
    lines.append(
        "Mean ± sample standard deviation over n seeds (one seed has none). Last: at the last step. Pick: at the step "
        "that the validator picked, without target labels. Oracle: the best on the target test split during training, "
        f"a bound and not a result. Headline: {'last' if headline == 'last' else 'pick'}."
    )
    if table.common:
        lines.append(f"All rows: {', '.join(table.common)}.")
    if table.by_pair:
        lines.append(f"{'; '.join(table.by_pair)}.")
    if any(_best(table, "last", pair) for pair in table.pairs):
        lines.append("Bold: the best of the methods that adapt, in each column but the oracle's.")
    return tuple(lines)


def _remarks(table: Table, published: bool) -> tuple[str, ...]:
    devices = sorted({run.device for run in table.runs})
    versions = sorted({run.code_version for run in table.runs})
    remarks = [f"Run on {', '.join(devices)}, code {', '.join(versions)}."]
    if published:
        remarks.append(
            "Published numbers, and deviations where there are any, are as printed in papers unless marked; at which "
            "step they were measured is those papers' choice."
        )
    return tuple(remarks)


def _pair_heading(table: Table, pair: Pair, published: bool, footnotes: _Footnotes) -> Entry:
    notes = list(_notes_of_pair(table, pair))
    if published:
        notes += [_alias_note(name) for name in pair if name in ALIASES]
    return Entry(pair_label(pair), marks=footnotes.marks(notes))


def _alias_note(domain: str) -> str:
    published = domain_label(ALIASES[domain])
    return (
        f"{domain_label(domain)} is another form of {published}; published rows are of {published}, whatever its form"
    )


def _notes_of_pair(table: Table, pair: Pair) -> tuple[str, ...]:
    """Return the notes that every cell of a pair has."""
    cells = [row.cells[pair] for row in table.rows if pair in row.cells]
    return tuple(note for note in cells[0].notes if all(note in cell.notes for cell in cells))


def _estimate(cell: Cell, subcolumn: str) -> Estimate:
    return {"last": cell.last, "pick": cell.pick, "oracle": cell.oracle}[subcolumn]


def _best(table: Table, subcolumn: str, pair: Pair) -> str:
    """Return the best mean as shown among methods that adapt; empty for the oracle's and where there are no two."""
    cells = [row.cells[pair] for row in table.rows if adapts(row.kind) and pair in row.cells]
    if subcolumn == "oracle" or len(cells) < 2:
        return ""
    return f"{max(_estimate(cell, subcolumn).mean for cell in cells):.2f}"


def _our_row(
    table: Table, row: Row, subcolumns: Sequence[str], footnotes: _Footnotes, published: bool
) -> tuple[Entry, ...]:
    counts = [str(len(row.cells[pair].runs)) if pair in row.cells else "–" for pair in table.pairs]
    entries = [Entry(row.label), Entry(counts[0] if len(set(counts) - {"–"}) == 1 else "/".join(counts))]
    if entries[1].text == "–":
        entries[1] = Entry(next(count for count in counts if count != "–"))
    for pair in table.pairs:
        if pair not in row.cells:
            entries += [Entry("–"), *[Entry()] * (len(subcolumns) - 1)]
            continue
        cell = row.cells[pair]
        noted = _notes_of_pair(table, pair)
        marks = footnotes.marks([*cell.facts, *(note for note in cell.notes if note not in noted)])
        for place, subcolumn in enumerate(subcolumns):
            estimate = _estimate(cell, subcolumn)
            best = adapts(row.kind) and f"{estimate.mean:.2f}" == _best(table, subcolumn, pair)
            entries.append(Entry(estimate.text, best, marks if place == 0 else ()))
    return (*entries, Entry()) if published else tuple(entries)


def _published_rows(
    table: Table, published: Sequence[PublishedResult], subcolumns: Sequence[str], footnotes: _Footnotes
) -> Iterable[tuple[Entry, ...]]:
    """Give each method one row; a second one only for a pair that it has two numbers of. Our protocol's come first."""
    blank = [Entry()] * (len(subcolumns) - 1)
    by_method: dict[tuple[str, str], list[PublishedResult]] = {}
    for result in published:
        by_method.setdefault((result.method, result.citation), []).append(result)
    for (method, citation), results in by_method.items():
        columns = [_ranked(table, pair, results) for pair in table.pairs]
        for line in range(max(map(len, columns))):
            entries = [Entry(method), Entry()]
            for pair, column in zip(table.pairs, columns, strict=True):
                here = column[line : line + 1]
                entries += [_published_entry(table, pair, result, footnotes) for result in here] or [Entry("–")]
                entries += blank
            yield (*entries, Entry(citation))


def _ranked(table: Table, pair: Pair, results: Iterable[PublishedResult]) -> list[PublishedResult]:
    wanted = published_name(pair[0]), published_name(pair[1])
    found = [result for result in results if (result.source, result.target) == wanted]
    return sorted(found, key=lambda result: result.protocol != equal_protocol(table.protocol, pair))


def _published_entry(table: Table, pair: Pair, result: PublishedResult, footnotes: _Footnotes) -> Entry:
    return Entry(result.text, marks=footnotes.marks(published_notes(table.protocol, pair, result)))


def equal_protocol(protocol: str, pair: Pair) -> str:
    """Return the published protocol that trains on the same images as ours; empty where there is none."""
    if protocol == "unit-2017" and pair[0] == "svhn":
        return "svhn-extra"
    return _EQUAL_PROTOCOLS.get(protocol, "")


def published_notes(protocol: str, pair: Pair, result: PublishedResult) -> list[str]:
    """Return what must be said beside a published number in a table of one of our protocols."""
    notes = []
    if result.protocol != equal_protocol(protocol, pair):
        what = _PUBLISHED_PROTOCOLS[result.protocol]
        if result.protocol == "small" and {result.source, result.target} != {"mnist", "usps"}:
            what = "as that paper's other pairs"
        notes.append(f"another protocol than ours, {result.protocol}: {what}")
    if result.notes:
        notes.append(_PUBLISHED_NOTES.get(result.notes, result.notes))
    if result.provenance in _PROVENANCE:
        notes.append(_PROVENANCE[result.provenance])
    return notes

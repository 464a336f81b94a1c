"""Our runs beside the published numbers of the same methods on the same training images, and how far apart they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from uda.errors import UserError
from uda.evaluation.comparability import equal_protocol, pair_notes, published_notes
from uda.evaluation.explanation import left_out
from uda.evaluation.layout import notes_of_cell, notes_of_pair
from uda.evaluation.parts import Column, Entry, Footnotes, Layout, Section
from uda.evaluation.published import PublishedResult, load_published, published_name
from uda.evaluation.ranking import Which, estimate
from uda.evaluation.table import Cell, Pair, Row, Table

#: (method, preset) to the labels of its published numbers, its own paper's first: the first one of a pair counts.
LABELS: dict[tuple[str, str], tuple[str, ...]] = {
    ("sa", "default"): ("SA",),
    ("swd", "default"): ("SWD",),
    ("deepjdot", "default"): ("DeepJDOT",),
    ("dann", "default"): ("DANN", "DANN (as in SBADA/CUDA tables)"),
    ("cdan", "default"): ("CDAN", "CDAN (as in CUDA table)"),
    ("cdan", "entropy"): ("CDAN+E",),
    ("adda", "default"): ("ADDA", "ADDA (full sets, as in DupGAN)"),
    ("mcd", "default"): ("MCD",),
    ("alda", "default"): ("ALDA (delta 0.6)",),
    ("vada", "default"): ("VADA (instance norm)",),
    ("dirt-t", "default"): ("DIRT-T (instance norm)",),
    ("cogan", "default"): ("CoGAN (full, as quoted in UNIT)",),
    ("unit", "default"): ("UNIT", "UNIT (re-run by UDAR authors)"),
    ("unit", "discriminator"): ("UNIT", "UNIT (re-run by UDAR authors)"),
    ("drcn", "default"): ("DRCN",),
    ("cycada", "default"): ("CyCADA",),
    ("cycada", "pixel"): ("CyCADA pixel only",),
    ("cycada", "feature"): ("CyCADA feature only (no pixel)",),
    ("gta", "default"): ("GTA",),
    ("self-ensembling", "default"): ("Self-ensembling (best)",),
    ("shot", "default"): ("SHOT (paper)",),
    ("shot", "im"): ("SHOT-IM",),
}


@dataclass(frozen=True)
class Counterpart:
    """One of our cells, and the published number of the same method, pair and training images."""

    row: Row
    pair: Pair
    cell: Cell
    published: PublishedResult


def find_counterparts(table: Table) -> Iterator[Counterpart]:
    """Yield, pair by pair, each cell whose method has a published number under the protocol that ours repeats."""
    known = load_published()
    for pair in table.pairs:
        protocol, names = equal_protocol(table.protocol, pair), (published_name(pair[0]), published_name(pair[1]))
        like = {r.method: r for r in known if (r.source, r.target) == names and r.protocol == protocol}
        for row in (row for row in table.rows if pair in row.cells):
            first = row.cells[pair].runs[0]
            labels = [label for label in LABELS.get((first.method, first.preset), ()) if label in like]
            if labels:
                yield Counterpart(row, pair, row.cells[pair], like[labels[0]])


def lay_out_counterparts(tables: Sequence[Table], which: Which = "last", broken: Sequence[str] = ()) -> list[Layout]:
    """Arrange what `find_counterparts` finds, those furthest below the published number first within a pair.

    Parameters
    ----------
    tables
        From `uda.evaluation.table.build_tables`; those without a counterpart are left out.
    which
        Which accuracy of ours is compared.
    broken
        What could not be read, a sentence each.

    Raises
    ------
    UserError
        Where no run has a counterpart.
    """
    found = [(table, list(find_counterparts(table))) for table in tables]
    if not any(counterparts for _, counterparts in found):
        raise UserError("no run is of a method, pair and protocol with a published number; use --layout methods")
    return [_lay_out(table, counterparts, which, broken) for table, counterparts in found if counterparts]


def _lay_out(table: Table, found: Sequence[Counterpart], which: Which, broken: Sequence[str]) -> Layout:
    footnotes = Footnotes()
    sections, remarks = [], []
    for pair in table.pairs:
        here = [counterpart for counterpart in found if counterpart.pair == pair]
        rows = sorted(here, key=lambda counterpart: _difference(counterpart, which))
        if rows:
            sections.append(Section(table.labels[pair], tuple(_row(table, each, which, footnotes) for each in rows)))
            remarks += [f"{table.labels[pair]}: {note}." for note in notes_of_pair(table, pair)]
    return Layout(
        title=f"Protocol {table.protocol}: ours and the published number of the same method, percent",
        explanation=(
            f"Ours: {which}, mean ± sample standard deviation over n seeds, with the encoder, the augmentation and the "
            "number of steps that all our rows of a pair share. Published: with the authors' networks, lengths and "
            "constants, on the same training images, at a step of their choice. Methods and pairs without a published "
            "number are left out.",
        ),
        columns=(
            Column(Entry("Method"), wordy=True),
            *(Column(Entry(heading)) for heading in ("Ours", "n", "Published", "Difference")),
            Column(Entry("Reference"), wordy=True),
        ),
        sections=tuple(sections),
        footnotes=footnotes.listed(),
        remarks=(*remarks, *left_out(broken)),
    )


def _difference(counterpart: Counterpart, which: Which) -> float:
    return estimate(counterpart.cell, which).mean - float(counterpart.published.accuracy)


def _row(table: Table, counterpart: Counterpart, which: Which, footnotes: Footnotes) -> tuple[Entry, ...]:
    pair, cell, published = counterpart.pair, counterpart.cell, counterpart.published
    notes = published_notes(table.protocol, pair, published) + pair_notes(pair)
    if "(" in published.method:  # a variant, or as another paper has it
        notes.insert(0, f"published as {published.method}")
    difference = _difference(counterpart, which)
    return (
        Entry(counterpart.row.label),
        Entry(estimate(cell, which).text, marks=footnotes.marks(notes_of_cell(table, pair, cell))),
        Entry(str(len(cell.runs))),
        Entry(published.text, marks=footnotes.marks(notes)),
        Entry(f"{difference:+.1f}".replace("-", "−"), number=difference),
        Entry(published.citation),
    )

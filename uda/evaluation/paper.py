"""The layout of UNIT's table of adaptation (Liu, Breuel and Kautz 2017): pairs by methods, as printed, ours beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from uda.errors import UserError
from uda.evaluation.comparability import pair_notes, published_notes
from uda.evaluation.explanation import Headline, explain, remark
from uda.evaluation.labels import pair_label
from uda.evaluation.layout import ORDERS, ranks_of
from uda.evaluation.parts import DASH, Column, Entry, Footnotes, Layout, Section
from uda.evaluation.published import PublishedResult, load_published, published_name
from uda.evaluation.ranking import Rank, Which, estimate
from uda.evaluation.significance import Significance
from uda.evaluation.table import Pair, Table, what_became_of

#: In the order of the paper: its columns, and what they are called among our published numbers.
METHODS = {
    "SA": "SA",
    "DANN": "DANN",
    "DTN": "DTN (as quoted in UNIT)",
    "CoGAN": "CoGAN (full, as quoted in UNIT)",
    "UNIT": "UNIT",
}
#: Its rows.
PAIRS: tuple[Pair, ...] = (("svhn", "mnist"), ("mnist", "usps"), ("usps", "mnist"))


def lay_out_as_paper(tables: Sequence[Table], headline: Headline = "last", broken: Sequence[str] = ()) -> list[Layout]:
    """Arrange tables of runs as UNIT's table: a row for each pair, a column for each method.

    Parameters
    ----------
    tables
        From `uda.evaluation.table.build_tables`. Those that have none of the paper's pairs are named in a remark.
    headline
        Which accuracy stands beside the published ones: at the last step or at the validator's pick.
    broken
        What could not be read, a sentence each.

    Raises
    ------
    UserError
        Where no table has one of the paper's pairs.
    """
    shown = [table for table in tables if any(_published_pair(pair) in PAIRS for pair in table.pairs)]
    if not shown:
        pairs = ", ".join(map(pair_label, PAIRS))
        raise UserError(f"no run is of a pair in UNIT's table ({pairs}); use --layout methods")
    left_out = [
        f"protocol {table.protocol} has none of the pairs of this layout" for table in tables if table not in shown
    ]
    return [_lay_out(table, headline, [*broken, *left_out]) for table in shown]


def _published_pair(pair: Pair) -> Pair:
    return published_name(pair[0]), published_name(pair[1])


def _lay_out(table: Table, headline: Headline, broken: Sequence[str]) -> Layout:
    footnotes = Footnotes()
    order = ORDERS[headline]
    ranks = ranks_of(table, order)
    published = {(r.method, (r.source, r.target)): r for r in load_published() if r.method in METHODS.values()}
    columns = [Column(Entry("Pair"), wordy=True)]
    columns += [Column(Entry(name), ("paper",)) for name in METHODS]
    columns += [Column(Entry(row.label), ("ours",)) for row in table.rows]
    sections = []
    for wanted in PAIRS:
        for pair in [pair for pair in table.pairs if _published_pair(pair) == wanted] or [wanted]:
            first = Entry(order[0], marks=footnotes.marks(pair_notes(pair)))
            printed = [_printed(table, pair, published.get((name, wanted)), footnotes) for name in METHODS.values()]
            rows = _rows(table, pair, order, (first, *printed), ranks, footnotes)
            sections.append(Section(pair_label(pair), tuple(rows), "paper"))
    explanation = [*explain(table, headline), f"Paper: as printed by Liu et al. (2017), beside {order[0]}."]
    return Layout(
        title=f"UNIT's table, and ours under protocol {table.protocol}: accuracy on the target test split, percent",
        explanation=(*explanation, f"{DASH}: not run, or not reported."),
        columns=tuple(columns),
        sections=tuple(sections),
        footnotes=footnotes.listed(),
        remarks=tuple(remark(table, Significance({}, ()), published=True, broken=broken)),
        ranked="of our methods that adapt, on its pair",
    )


def _printed(table: Table, pair: Pair, result: PublishedResult | None, footnotes: Footnotes) -> Entry:
    if result is None:
        return Entry(DASH)
    marks = footnotes.marks(published_notes(table.protocol, pair, result))
    return Entry(result.text, marks=marks, number=float(result.accuracy))


def _rows(
    table: Table,
    pair: Pair,
    order: Sequence[Which],
    left: Sequence[Entry],
    ranks: Mapping[tuple[Pair | None, Which], Mapping[int, Rank]],
    footnotes: Footnotes,
) -> Iterator[tuple[Entry, ...]]:
    """Yield the rows of one pair: our three accuracies, the first beside the paper's, and over how many seeds."""
    blank = [Entry()] * (len(left) - 1)
    for which in order:
        first = which == order[0]
        ours = []
        for number, row in enumerate(table.rows):
            cell, fate = row.cells.get(pair), what_became_of(row.missing.get(pair, ()))
            if cell:
                found, rank = estimate(cell, which), ranks.get((pair, which), {}).get(number, "")
                marks = footnotes.marks([*cell.facts, *cell.notes, *fate]) if first else ()
                ours.append(Entry(found.text, rank, marks, found.mean, cell.interval(found)))
            else:
                ours.append(Entry(DASH, marks=footnotes.marks(fate)) if first else Entry())
        yield (*left, *ours) if first else (Entry(which), *blank, *ours)
    counts = [len(row.cells[pair].runs) if pair in row.cells else 0 for row in table.rows]
    if any(counts):
        yield (Entry("n"), *blank, *(Entry(str(count), number=count) if count else Entry() for count in counts))

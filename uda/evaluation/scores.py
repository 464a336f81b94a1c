"""Methods by what can be known of them without a target label: scores of validators, and how far they agree."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from uda.errors import UserError
from uda.evaluation.collapse import SPREAD, collapsed
from uda.evaluation.correlation import regret, spearman
from uda.evaluation.folders import read_trained_on
from uda.evaluation.formats import html, latex, markdown, plain
from uda.evaluation.history import read_history
from uda.evaluation.labels import adapts, kind_heading
from uda.evaluation.layout import notes_of_cell, notes_of_pair
from uda.evaluation.parts import DASH, Column, Entry, Footnotes, Layout, Section
from uda.evaluation.ranking import Rank, rank
from uda.evaluation.runs import FoundRuns, readable
from uda.evaluation.series import read_predictions
from uda.evaluation.table import Cell, Estimate, Pair, Row, Table, build_tables
from uda.evaluation.write import Format

#: What is shown beside the runs' own validator, of different kinds, so that what flatters one need not flatter another;
#: first what orders methods best where labels are known (results/README.md).
SHOWN = ("consistency", "class-cluster", "corr-c", "information-maximization", "bnm")
AGREEMENT = "agreement"
#: How many methods there must be beside one, so that most of them can be of one mind.
_VOTERS = 2
#: Below it, two sums of votes are equal.
_TIE = 1e-6
#: How many of a score are written.
DECIMALS = 4
_FLATTERED = "trains on this score, and is not ranked by it"
_COLLAPSED = "collapsed: its predictions spread over less than half as many classes as others'; not ranked"
_WRITERS = {"md": markdown, "latex": latex, "html": html}
_MEANING = (
    "Scores at the last step that need no target label, mean ± sample standard deviation over n seeds; larger is "
    f"better. {AGREEMENT.capitalize()}: share of the target's test images that a run takes for what most of the other "
    "methods here take them for (the runs of one share its vote; of equally many votes any will do). The others: "
    "label-free validators."
)
_LOST = (
    "Points lost: the best accuracy of all rows but target-only's, also of those that a score does not rank, minus "
    "that of the row that it likes best."
)
_NO_LABELS = (
    "Scores order methods, and do not say by how much one is better. Some hundred labelled test images give the "
    "accuracy to within a few points (`uda eval`)."
)


@dataclass(frozen=True)
class Scores:
    """What a run's folder says of it without a target label.

    Attributes
    ----------
    last
        Of each validator at the last step, larger is better.
    trained_on
        Validators whose score is in the run's loss.
    predicted
        (N,) classes that the target's test images are taken for at the last step; None where that is not known.
    """

    last: Mapping[str, float]
    trained_on: tuple[str, ...]
    predicted: NDArray[np.int64] | None = None


def read_scores(folder: Path) -> Scores:
    """Read the scores of a finished run; `UserError` where its evaluations or predictions cannot be read."""
    predictions = read_predictions(folder)
    predicted = None if predictions is None else predictions.last
    return Scores(read_history(folder)[-1].scores, read_trained_on(folder), predicted)


def write_scores(found: FoundRuns, form: Format = "text", width: int = 100) -> str:
    """Write a table of scores for each protocol and pair of finished runs.

    Parameters
    ----------
    found
        From `uda.evaluation.runs.find_runs`. Its ``results`` and ``unscored`` runs are shown, of which there is at
        least one; each has a folder.
    form
        ``"md"``, ``"latex"``, ``"html"`` or ``"text"``.
    width
        Of plain text, in characters.

    Raises
    ------
    UserError
        For ``"csv"``, a run without a folder, and runs that cannot stand in one table.
    """
    if form == "csv":
        raise UserError("--format csv: has a column for each accuracy and none for a score; give another format")
    runs = (*found.results, *found.unscored)
    if homeless := [run.config_hash for run in runs if run.config_hash not in found.folders]:
        raise UserError(f"run {homeless[0]} is known from a runs.csv alone, which has no scores; give the run folders")
    sound, scores = readable(replace(found, results=runs), read_scores)
    layouts = [
        lay_out_scores(table, pair, scores, sound.broken)
        for table in build_tables(sound.results)
        for pair in table.pairs
    ]
    return "\n".join(plain(layout, width) if form == "text" else _WRITERS[form](layout) for layout in layouts)


def lay_out_scores(table: Table, pair: Pair, scores: Mapping[str, Scores], broken: Sequence[str] = ()) -> Layout:
    """Arrange the scores of a pair's runs, in the order of the table's rows.

    Where there are accuracies they stand beside the scores, and below them how well each score orders the methods.

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
    return _Scores(table, pair, scores).layout(broken)


class _Scores:
    """The scores of a pair's runs, row by row."""

    def __init__(self, table: Table, pair: Pair, scores: Mapping[str, Scores]) -> None:
        self.table, self.pair, self.scores = table, pair, scores
        self.rows = [row for row in table.rows if pair in row.cells]
        self.scored = all(run.scored for row in self.rows for run in row.cells[pair].runs)
        self.comparable = self.scored and len({row.cells[pair].data for row in self.rows}) == 1
        own = [run.validator for row in self.rows for run in row.cells[pair].runs]
        values = {name: [self._values(row, name) for row in self.rows] for name in (*SHOWN, *own)}
        values[AGREEMENT] = [self._agreement(row) for row in self.rows]
        spreads = [self._values(row, SPREAD) for row in self.rows]
        #: Numbers of the rows that have a run which has collapsed.
        self.collapsed = collapsed({number: min(each, default=math.nan) for number, each in enumerate(spreads)})
        #: Of each score, row by row: of each seed; none where it is not known of all of them.
        self.values = {name: of_rows for name, of_rows in values.items() if any(of_rows)}
        self.footnotes = Footnotes()

    def layout(self, broken: Sequence[str]) -> Layout:
        """Lay out the table."""
        ranks = {name: self._ranks(name) for name in self.values}
        numbered = list(enumerate(self.rows))
        sections = [
            Section(kind_heading(kind), tuple(self._row(number, row, ranks) for number, row in group), kind)
            for kind, group in groupby(numbered, key=lambda each: each[1].kind)
        ]
        state = "label-free scores" if self.scored else "no accuracy, as no target test image has a label"
        common = (f"All rows: {', '.join(self.table.common)}.",) if self.table.common else ()
        return Layout(
            title=f"{self.table.labels[self.pair]}, protocol {self.table.protocol}: {state}",
            explanation=(
                _MEANING,
                *(() if self.scored else (_NO_LABELS,)),
                *((_LOST,) if self.comparable else ()),
                *common,
            ),
            columns=(
                Column(Entry("Method"), wordy=True),
                Column(Entry("n")),
                *((Column(Entry("accuracy")),) if self.scored else ()),
                *(Column(Entry(name)) for name in self.values),
            ),
            sections=(*sections, *((self._merits(),) if self.comparable else ())),
            footnotes=self.footnotes.listed(),
            remarks=(*notes_of_pair(self.table, self.pair), *broken),
            ranked="of the methods that adapt in its column",
        )

    def _row(self, number: int, row: Row, ranks: Mapping[str, Mapping[int, Rank]]) -> tuple[Entry, ...]:
        cell = row.cells[self.pair]
        notes = [*notes_of_cell(self.table, self.pair, cell), *([_COLLAPSED] if number in self.collapsed else [])]
        entries = [Entry(row.label, marks=self.footnotes.marks(notes))]
        entries.append(Entry(str(len(cell.runs)), number=len(cell.runs)))
        if self.scored:
            entries.append(Entry(cell.last.text, number=cell.last.mean))
        for name, of_rows in self.values.items():
            marks = self.footnotes.marks([_FLATTERED]) if self._flattered(cell, name) else ()
            entries.append(_entry(of_rows[number], ranks[name].get(number, ""), marks))
        return tuple(entries)

    def _merits(self) -> Section:
        """Say how well each score orders methods: not the ceiling, nor what trains on it or has collapsed."""
        correlations, losses, counts = [], [], []
        compared = [row.cells[self.pair].last.mean for row in self.rows if row.kind != "target-only"]
        for name, of_rows in self.values.items():
            judged = [
                (statistics.fmean(values), row.cells[self.pair].last.mean)
                for number, (row, values) in enumerate(zip(self.rows, of_rows, strict=True))
                if values and row.kind != "target-only" and self._ranked(number, name)
            ]
            means, accuracies = [mean for mean, _ in judged], [accuracy for _, accuracy in judged]
            correlations.append(_number(spearman(means, accuracies)))
            losses.append(_number(regret(means, accuracies, compared)))
            counts.append(len(judged))
        blank = Entry(), Entry()
        ranked = (Entry("Rows that it ranks"), *blank, *(Entry(str(count), number=count) for count in counts))
        return Section(
            "How well it orders methods, by their accuracy",
            (
                (Entry("Spearman's correlation"), *blank, *correlations),
                (Entry("Points lost by its choice"), *blank, *losses),
                *((ranked,) if len(set(counts)) > 1 else ()),
            ),
        )

    def _values(self, row: Row, name: str) -> list[float]:
        """Return a validator's scores of a row's runs; none where it did not score all of them."""
        runs = row.cells[self.pair].runs
        found = [self.scores[run.config_hash].last.get(name, math.nan) for run in runs]
        return [] if any(math.isnan(value) for value in found) else found

    def _agreement(self, row: Row) -> list[float]:
        """Return how far each run of a row agrees with most other methods; none where they are too few to vote."""
        others = self._voters(row)
        votes = {name: [one for other in rows for one in self._predicted(other)] for name, rows in others.items()}
        own = self._predicted(row)
        shapes = {one.shape for each in (own, *votes.values()) for one in each}
        if len(others) < _VOTERS or not all((own, *votes.values())) or len(shapes) > 1:
            return []
        classes = 1 + max(int(one.max()) for each in (own, *votes.values()) for one in each)
        labels = np.arange(classes)[:, None]
        counts = sum(np.mean([one == labels for one in each], axis=0) for each in votes.values())
        most = counts > counts.max(0) - _TIE
        return [float(np.take_along_axis(most, each[None], 0).mean()) for each in own]

    def _voters(self, row: Row) -> dict[tuple[str, str], list[Row]]:
        """Return the rows of each other method and preset, on the same images; the ceiling has no vote."""
        voters: dict[tuple[str, str], list[Row]] = {}
        own = row.cells[self.pair].runs[0]
        for other in self.rows:
            run = other.cells[self.pair].runs[0]
            same = (run.method, run.preset) == (own.method, own.preset)
            if not same and other.kind != "target-only" and run.data == own.data:
                voters.setdefault((run.method, run.preset), []).append(other)
        return voters

    def _predicted(self, row: Row) -> list[NDArray[np.int64]]:
        """Return what each run of a row predicts; nothing where that is not known of all of them."""
        found = [self.scores[run.config_hash].predicted for run in row.cells[self.pair].runs]
        known = [each for each in found if each is not None]
        return known if len(known) == len(found) else []

    def _ranked(self, number: int, name: str) -> bool:
        return number not in self.collapsed and not self._flattered(self.rows[number].cells[self.pair], name)

    def _flattered(self, cell: Cell, name: str) -> bool:
        return any(name in self.scores[run.config_hash].trained_on for run in cell.runs)

    def _ranks(self, name: str) -> dict[int, Rank]:
        """Rank the methods that adapt and do not train on a score by it."""
        return rank(
            {
                number: statistics.fmean(values)
                for number, (row, values) in enumerate(zip(self.rows, self.values[name], strict=True))
                if values and adapts(row.kind) and self._ranked(number, name)
            },
            DECIMALS,
        )


def _entry(values: Sequence[float], best: Rank, marks: tuple[str, ...]) -> Entry:
    if not values:
        return Entry(DASH)
    over_seeds = Estimate(tuple(values), DECIMALS)
    return Entry(over_seeds.text, best, marks, over_seeds.mean)


def _number(value: float | None) -> Entry:
    return Entry(DASH) if value is None else Entry(f"{value:.2f}", number=value)

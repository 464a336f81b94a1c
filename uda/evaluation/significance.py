"""Paired tests in a table: each method that adapts against the best of its column, and against source only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import torch
from torch import Tensor

from uda.evaluation.ranking import Which, competing, estimate
from uda.evaluation.result import RunResult
from uda.evaluation.table import Cell, Pair, Table
from uda.metrics.correctness import unpack
from uda.metrics.significance import (
    against_chosen_best,
    draw_images,
    drawn_accuracies,
    mcnemar,
    paired_bootstrap,
    paired_difference,
)

#: Below it an adjusted p is called significant: so many of those that are called so are expected to be chance.
LEVEL = 0.05
#: What a cell is compared with.
Against = Literal["best", "source-only"]
#: Row, pair, accuracy, and what it is compared with.
Place = tuple[int, Pair, Which, Against]

_TESTED: tuple[Which, ...] = ("last", "pick")
_AGAINST: tuple[Against, ...] = ("best", "source-only")


@dataclass(frozen=True)
class Comparison:
    """A cell compared with another of its column, over the seeds that both have.

    Attributes
    ----------
    seeds
        Those seeds.
    difference
        The cell's mean accuracy over them minus the other's, in percentage points.
    p
        Two-sided, of the paired difference over seeds and images; against the best, adjusted for that being chosen.
        None over one seed, which says nothing of others: that is not tested.
    adjusted
        The same, adjusted over all tests of the table for the false discovery rate (Benjamini and Hochberg 1995).
    """

    seeds: tuple[int, ...]
    difference: float
    p: float | None
    adjusted: float | None

    @property
    def tested(self) -> bool:
        """Whether it is: over more than one seed."""
        return self.p is not None

    @property
    def significant(self) -> bool:
        """Whether the difference is."""
        return self.adjusted is not None and self.adjusted < LEVEL


@dataclass(frozen=True)
class Significance:
    """Every comparison that a table allows.

    Attributes
    ----------
    comparisons
        By row, pair, accuracy, and what it is compared with.
    untested
        (row, pair) of the cells that could not be compared: which images their runs or the other's got right is not
        known, or they share no seed, or not the same test images.
    """

    comparisons: Mapping[Place, Comparison]
    untested: tuple[tuple[int, Pair], ...]


def compare(table: Table) -> Significance:
    """Compare each method that adapts with the best of its column and with source only.

    At the last step and at the validator's pick; never at the oracle's, which is no result. The best is chosen by the
    data that are tested, from all that compete in the column: `against_chosen_best` allows for that. Source only is
    not chosen.

    Parameters
    ----------
    table
        From `uda.evaluation.table.build_tables`.
    """
    right = Right()
    found: dict[Place, Comparison] = {}
    untested: dict[tuple[int, Pair], None] = {}
    for pair, which, against in product(table.pairs, _TESTED, _AGAINST):
        other = _other(table, pair, which, against)
        cells = competing(table, pair)
        chosen_from = len(cells) if against == "best" else 2
        for row, cell in cells.items() if other else ():
            if other and cell is not other:
                comparison = _compare(cell, other, which, right, chosen_from)
                if comparison:
                    found[row, pair, which, against] = comparison
                else:
                    untested[row, pair] = None
    return Significance(_adjusted(found), tuple(untested))


def _adjusted(found: Mapping[Place, Comparison]) -> dict[Place, Comparison]:
    from scipy.stats import false_discovery_control

    p_values = {place: comparison.p for place, comparison in found.items() if comparison.p is not None}
    adjusted = dict(zip(p_values, map(float, false_discovery_control(list(p_values.values()))), strict=True))
    return {place: replace(comparison, adjusted=adjusted.get(place)) for place, comparison in found.items()}


@dataclass(frozen=True)
class Detail:
    """What else can be said of a comparison, for those who want to know it all.

    Attributes
    ----------
    interval
        95 % interval of the difference in percentage points, by a paired bootstrap over seeds and images; of one seed,
        over images alone.
    mcnemar
        McNemar's exact p of the two checkpoints of each seed.
    """

    interval: tuple[float, float]
    mcnemar: tuple[float, ...]


def details(table: Table, significance: Significance, which: Which) -> dict[Place, Detail]:
    """Return the details of the comparisons with the best of each column.

    Parameters
    ----------
    table, significance
        The table, and what `compare` found in it.
    which
        At which of the accuracies.
    """
    right = Right()
    drawn: dict[int, Tensor] = {}
    found = {}
    for pair in table.pairs:
        places = [place for place in significance.comparisons if place[1:] == (pair, which, "best")]
        best = _other(table, pair, which, "best")
        if best is None or not places:
            continue
        if best.n_test not in drawn:
            drawn[best.n_test] = draw_images(best.n_test)
        cells = [table.rows[place[0]].cells[pair] for place in places]
        seeds = [significance.comparisons[place].seeds for place in places]
        known = sorted({seed for those in seeds for seed in those})
        ours = [right.of(cell, which, those) for cell, those in zip(cells, seeds, strict=True)]
        stacked = drawn_accuracies(torch.cat([*ours, right.of(best, which, known)]), drawn[best.n_test])
        *each, of_best = torch.split(stacked, [*map(len, seeds), len(known)])
        for place, correct, accuracies, those in zip(places, ours, each, seeds, strict=True):
            shared = of_best[[known.index(seed) for seed in those]]
            exact = zip(correct, right.of(best, which, those), strict=True)
            found[place] = Detail(paired_bootstrap(accuracies, shared), tuple(mcnemar(*both) for both in exact))
    return found


class Right:
    """Which images each run got right, unpacked once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Tensor] = {}

    def of(self, cell: Cell, which: Which, seeds: Sequence[int]) -> Tensor:
        """Return (S, N) bool for a cell's runs of some seeds."""
        rows = []
        for run in cell.runs:
            if run.seed in seeds:
                key = _packed(run, which), run.n_test
                if key not in self._known:
                    self._known[key] = unpack(*key)
                rows.append(self._known[key])
        return torch.stack(rows)


def _packed(run: RunResult, which: Which) -> str:
    return run.correct_last if which == "last" else run.correct_validator


def _other(table: Table, pair: Pair, which: Which, against: Against) -> Cell | None:
    """Return what the cells of a column are compared with: the best that adapts, or the best source-only row."""
    if against == "best":
        cells = list(competing(table, pair).values())
    else:
        cells = [row.cells[pair] for row in table.rows if row.kind == "source-only" and pair in row.cells]
    return max(cells, key=lambda cell: estimate(cell, which).mean, default=None)


def share(cell: Cell, other: Cell, which: Which, right: Right) -> tuple[tuple[int, ...], Tensor, Tensor] | None:
    """Return the seeds that two cells share, and which test images each gets right under them: (S, N) bool each.

    None where they share none, where that is not known of their runs, or where they have not the same test images.
    """
    known = [{run.seed for run in each.runs if _packed(run, which)} for each in (cell, other)]
    seeds = tuple(sorted(known[0] & known[1]))
    if not seeds or (cell.n_test, cell.data) != (other.n_test, other.data):
        return None
    return seeds, right.of(cell, which, seeds), right.of(other, which, seeds)


def _compare(cell: Cell, other: Cell, which: Which, right: Right, chosen_from: int) -> Comparison | None:
    shared = share(cell, other, which, right)
    if shared is None:
        return None
    seeds, first, second = shared
    difference = paired_difference(first, second)
    p = against_chosen_best(difference.p, chosen_from) if len(seeds) > 1 else None
    return Comparison(seeds, difference.mean, p, p)

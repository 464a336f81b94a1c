"""Whether the best average over all pairs of domains is better than the others by more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from uda.evaluation.labels import adapts
from uda.evaluation.ranking import Which, average, averaged_pairs
from uda.evaluation.significance import LEVEL, Right, share
from uda.evaluation.table import Table
from uda.metrics.significance import PairedDifference, average_difference, holm, paired_difference

#: So many that are level with the best are named.
_NAMED_AT_MOST = 4


@dataclass(frozen=True)
class Behind:
    """A row whose average is tested against the best one.

    Attributes
    ----------
    row
        Its number.
    difference
        How far the best average is ahead, over the seeds that both have on each pair.
    adjusted
        Its p, adjusted over all rows that are tested by Holm's method.
    seeds
        How many seeds both have, on the pair where those are fewest.
    """

    row: int
    difference: PairedDifference
    adjusted: float
    seeds: int


def compare_averages(table: Table, which: Which) -> tuple[int, tuple[Behind, ...]] | None:
    """Test the best average of the methods that adapt against each other one that has all `averaged_pairs`.

    Parameters
    ----------
    table
        From `uda.evaluation.table.build_tables`.
    which
        At which of the accuracies.

    Returns
    -------
    tuple or None
        The row with the best average, and the others, from the one that is least behind; without those whose test
        images are not known. None where fewer than two rows have all pairs.
    """
    averages = {
        number: mean
        for number, row in enumerate(table.rows)
        if adapts(row.kind) and (mean := average(table, number, which)) is not None
    }
    if len(averages) < 2:
        return None
    first, *others = sorted(averages, key=averages.__getitem__, reverse=True)
    found = list(_behind(table, which, first, others))
    adjusted = holm([behind.difference.p for behind in found])
    return first, tuple(replace(behind, adjusted=p) for behind, p in zip(found, adjusted, strict=True))


def _behind(table: Table, which: Which, first: int, others: Sequence[int]) -> Iterator[Behind]:
    right = Right()
    best = table.rows[first].cells
    for row in others:
        shared = [share(best[pair], table.rows[row].cells[pair], which, right) for pair in averaged_pairs(table)]
        known = [both for both in shared if both is not None]
        if len(known) == len(shared):
            difference = average_difference([paired_difference(*both[1:]) for both in known])
            yield Behind(row, difference, difference.p, min(len(seeds) for seeds, *_ in known))


def remark_on_average(table: Table, which: Which) -> list[str]:
    """Say which average is best, by how much, and which others it cannot be told from; nothing where none is tested."""
    compared = compare_averages(table, which)
    if compared is None or not compared[1]:
        return []
    first, others = compared
    level = [behind for behind in others if behind.adjusted >= LEVEL]
    named = level or others[:1]
    listed = ", ".join(_named(table, behind) for behind in named[:_NAMED_AT_MOST])
    more = f" and {len(named) - _NAMED_AT_MOST} more" if len(named) > _NAMED_AT_MOST else ""
    verdict = "is not significantly better than" if level else "is significantly better than all others; the next is"
    single = any(behind.seeds == 1 for behind in others)
    unseen = ", where a pair has one seed for other test images alone" if single else ""
    return [
        f"Average at {which}: {table.rows[first].label} has the best, and {verdict} {listed}{more}. Paired t-test over "
        f"the seeds and test images that two methods share, each pair counting once{unseen}; two-sided at {LEVEL}, "
        f"adjusted by Holm's method for {len(others)} tests; ±: standard error."
    ]


def _named(table: Table, behind: Behind) -> str:
    difference = behind.difference
    p = f"{behind.adjusted:.2g}" if behind.adjusted >= 1e-3 else "below 0.001"
    return f"{table.rows[behind.row].label} ({difference.mean:.2f} ± {difference.error:.2f} behind, p {p})"

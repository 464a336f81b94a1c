"""Whether the best average over all pairs of domains is better than the others by more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from uda.evaluation.labels import adapts
from uda.evaluation.ranking import Which, average, averaged_pairs
from uda.evaluation.significance import LEVEL, Right, share
from uda.evaluation.table import Table
from uda.metrics.significance import PairedDifference, against_chosen_best, average_difference, paired_difference

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
        Its p, adjusted for the best being chosen by the same data, then over all rows that are tested for the false
        discovery rate (Benjamini and Hochberg 1995).
    """

    row: int
    difference: PairedDifference
    adjusted: float


@dataclass(frozen=True)
class BestAverage:
    """The best average of the methods that adapt, and how the others compare.

    Attributes
    ----------
    row
        The best one's number.
    behind
        The others, from the one that is least behind; without those whose test images are not known.
    one_seed
        How many more are not tested, as they share one seed with the best on some pair.
    """

    row: int
    behind: tuple[Behind, ...]
    one_seed: int


def compare_averages(table: Table, which: Which) -> BestAverage | None:
    """Test the best average of the methods that adapt against each other one that has all `averaged_pairs`.

    Parameters
    ----------
    table
        From `uda.evaluation.table.build_tables`.
    which
        At which of the accuracies.

    Returns
    -------
    BestAverage or None
        None where fewer than two rows have all pairs.
    """
    from scipy.stats import false_discovery_control

    averages = {
        number: mean
        for number, row in enumerate(table.rows)
        if adapts(row.kind) and (mean := average(table, number, which)) is not None
    }
    if len(averages) < 2:
        return None
    first, *others = sorted(averages, key=averages.__getitem__, reverse=True)
    differences, one_seed = _differences(table, which, first, others)
    p_values = [against_chosen_best(difference.p, len(averages)) for difference in differences.values()]
    adjusted = map(float, false_discovery_control(p_values))
    behind = (Behind(row, difference, p) for (row, difference), p in zip(differences.items(), adjusted, strict=True))
    return BestAverage(first, tuple(behind), one_seed)


def _differences(
    table: Table, which: Which, first: int, others: Sequence[int]
) -> tuple[dict[int, PairedDifference], int]:
    """Return how far the first is ahead of each other row that can be tested, and how many share but one seed."""
    right = Right()
    best, pairs = table.rows[first].cells, averaged_pairs(table)
    found: dict[int, PairedDifference] = {}
    one_seed = 0
    for row in others:
        shared = [share(best[pair], table.rows[row].cells[pair], which, right) for pair in pairs]
        known = [both for both in shared if both is not None]
        if len(known) < len(pairs):
            continue
        if any(len(seeds) == 1 for seeds, *_ in known):
            one_seed += 1
        else:
            found[row] = average_difference([paired_difference(*both[1:]) for both in known])
    return found, one_seed


def remark_on_average(table: Table, which: Which) -> list[str]:
    """Say which average is best, by how much, and which others it cannot be told from; nothing where none is tested."""
    compared = compare_averages(table, which)
    if compared is None or not (compared.behind or compared.one_seed):
        return []
    best, others = f"Average at {which}: {table.rows[compared.row].label} has the best", compared.behind
    if not others:
        return [f"{best}, and is not tested, as the others share one seed with it on some pair."]
    level = [behind for behind in others if behind.adjusted >= LEVEL]
    named = level or others[:1]
    listed = ", ".join(_named(table, behind) for behind in named[:_NAMED_AT_MOST])
    more = f" and {len(named) - _NAMED_AT_MOST} more" if len(named) > _NAMED_AT_MOST else ""
    rest = " that are tested" if compared.one_seed else ""
    verdict = (
        "is not significantly better than" if level else f"is significantly better than all others{rest}; the next is"
    )
    left_out = (
        f" Not tested: {compared.one_seed} that share one seed with it on some pair." if compared.one_seed else ""
    )
    return [
        f"{best}, and {verdict} {listed}{more}. Paired t-test over the seeds and test images that two methods share, "
        "each pair counting once (degrees of freedom: seeds - 1, on the pair with fewest); two-sided. As the same data "
        "choose the best, p is multiplied by half the number of averages, then adjusted by Benjamini and Hochberg's "
        f"method for {len(others)} tests and held against {LEVEL}; ±: standard error.{left_out}"
    ]


def _named(table: Table, behind: Behind) -> str:
    difference = behind.difference
    p = f"{behind.adjusted:.2g}" if behind.adjusted >= 1e-3 else "below 0.001"
    return f"{table.rows[behind.row].label} ({difference.mean:.2f} ± {difference.error:.2f} behind, p {p})"

"""The sentences above and below a table of runs: what its numbers are, and how far they carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from scipy import special

from uda.data.protocols import PROTOCOLS
from uda.evaluation.ranking import Which, competing, estimate
from uda.evaluation.significance import LEVEL, Comparison, Place, Significance
from uda.evaluation.table import Pair, Table

Headline = Literal["last", "validator"]
HEADLINES: dict[Headline, Which] = {"last": "last", "validator": "pick"}

#: The marks of the tests, and what they say.
NOT_FROM_BEST = "†"
NOT_FROM_SOURCE_ONLY = "‡"
ONE_SEED = "§"
TEST_MARKS = {
    NOT_FROM_BEST: "not significantly different from the best of its column",
    NOT_FROM_SOURCE_ONLY: "not significantly different from source only",
    ONE_SEED: "shares one seed with the best of its column, or with source only: not tested against it",
}

_NAMED_AT_MOST = 6


def explain(table: Table, headline: Headline) -> list[str]:
    """Return the sentences above a table."""
    which = HEADLINES[headline]
    protocol = PROTOCOLS.get(table.protocol)
    lines = [f"{protocol.description[:1].upper()}{protocol.description[1:]}."] if protocol else []
    lines += [
        _over_seeds(table),
        "Last: at the last step. Pick: at the step that the validator picked, without target labels. Oracle: the best "
        f"on the target test split during training, a bound and not a result. Headline: {which}.",
    ]
    if table.common:
        lines.append(f"All rows: {', '.join(table.common)}.")
    if table.by_pair:
        lines.append(f"{'; '.join(table.by_pair)}.")
    widths = [text for text in (_width(table, pair, which) for pair in table.pairs) if text]
    if widths:
        lines.append(f"What the size of the test set leaves open (Wilson, 95 %, headline): {'; '.join(widths)}.")
    return lines


def _over_seeds(table: Table) -> str:
    counts = {len(cell.runs) for row in table.rows for cell in row.cells.values()}
    if counts <= {1}:
        return "One seed each, so there is no deviation."
    return "Mean ± sample standard deviation over n seeds" + ("; one seed has none." if 1 in counts else ".")


def _width(table: Table, pair: Pair, which: Which) -> str:
    """Return half the width of the intervals of a pair: the narrowest and the widest."""
    cells = [row.cells[pair] for row in table.rows if pair in row.cells]
    if not cells:
        return ""
    ends = [cell.interval(estimate(cell, which)) for cell in cells]
    halves = sorted((high - low) / 2 for low, high in ends)
    narrowest, widest = f"{halves[0]:.1f}", f"{halves[-1]:.1f}"
    counts = sorted({cell.n_test for cell in cells})
    half = narrowest if narrowest == widest else f"{narrowest} to {widest}"
    images = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    return f"{table.labels[pair]} ± {half} ({images} images)"


def remark(table: Table, significance: Significance, published: bool, broken: Sequence[str]) -> list[str]:
    """Return the remarks below a table.

    Parameters
    ----------
    table, significance
        The table, and what was tested in it.
    published
        Whether published numbers stand in it.
    broken
        What could not be read, a sentence each.
    """
    remarks = left_out(broken)
    remarks += tested(table, significance)
    if table.runs:
        devices, versions = ({getattr(run, name) for run in table.runs} for name in ("device", "code_version"))
        remarks.append(f"Run on {', '.join(sorted(devices))}, code {', '.join(sorted(versions))}.")
    if published:
        remarks.append(
            "Published numbers, and deviations where there are any, are as printed in papers unless marked; at which "
            "step they were measured is those papers' choice."
        )
    return remarks


def left_out(broken: Sequence[str]) -> list[str]:
    """Return a remark for each thing that could not be read; ``broken`` has a sentence each."""
    return [f"{sentence[:1].upper()}{sentence[1:]}. It is left out." for sentence in broken]


def tested(table: Table, significance: Significance) -> list[str]:
    """Say how differences were tested, and which were not."""
    comparisons = significance.comparisons
    tests = {place: comparison for place, comparison in comparisons.items() if comparison.tested}
    remarks = []
    if tests:
        remarks.append(
            "Tested at last and pick: differences to the best and to source only. Paired t-tests over shared seeds "
            "(degrees of freedom: seeds - 1) that allow for other test images too; two-sided, adjusted by Benjamini "
            f"and Hochberg's method for the {len(tests)} tests of this table, so that at most {100 * LEVEL:.0f} % of "
            f"what it finds is expected to be chance.{_choice(tests)} What was tested and has no mark differs "
            f"significantly.{_power(table, tests)}"
        )
    elif comparisons:
        remarks.append("Differences are not tested: methods share one seed, which says nothing of others.")
    if significance.untested and not comparisons:
        remarks.append("Differences are not tested: which test images these runs got right is not known.")
    elif significance.untested:
        remarks.append(
            f"Not tested: {_named(table, significance.untested)}. Which test images they, or what they are compared "
            "with, got right is not known, or they share no seed with it."
        )
    return remarks


def _choice(tests: Mapping[Place, Comparison]) -> str:
    """Say how a p against the best allows for the best being chosen, where there is such a p."""
    if all(against != "best" for *_, against in tests):
        return ""
    return (
        " As the same data choose the best, a p against it is first multiplied by half the number of methods in its "
        "column."
    )


def _power(table: Table, tests: Mapping[Place, Comparison]) -> str:
    """Say how little a mark means: what a difference between two methods over some seeds must be to have none."""
    seeds = max(len(comparison.seeds) for comparison in tests.values())
    # Of n tests, Benjamini and Hochberg's method finds k where the k-th smallest p is at most k / n of the level.
    found = max(1, sum(comparison.significant for comparison in tests.values()))
    level = LEVEL * found / len(tests)
    methods = max((len(competing(table, pair)) for _, pair, _, against in tests if against == "best"), default=0)
    times = [float(special.stdtrit(seeds - 1, 1 - p / 2)) for p in (level, 2 * level / max(2, methods))]
    best = f"; to the best of {methods} methods, {times[1]:.0f} times" if methods > 2 else ""
    return (
        f" A mark says little: to have none, a difference over {seeds} seeds must be about {times[0]:.0f} times its "
        f"standard error{best}."
    )


def _named(table: Table, cells: Sequence[tuple[int, Pair]]) -> str:
    names = [f"{table.rows[row].label} on {table.labels[pair]}" for row, pair in cells]
    more = len(names) - _NAMED_AT_MOST
    return ", ".join(names[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")

"""Which methods are best and second best in a column of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from uda.evaluation.labels import adapts
from uda.evaluation.table import Cell, Estimate, Pair, Table

#: Which of a cell's three accuracies.
Which = Literal["last", "pick", "oracle"]
Rank = Literal["", "best", "second"]


def estimate(cell: Cell, which: Which) -> Estimate:
    """Return one of a cell's three accuracies."""
    return {"last": cell.last, "pick": cell.pick, "oracle": cell.oracle}[which]


def competing(table: Table, pair: Pair) -> dict[int, Cell]:
    """Return the cells of a pair that are compared with each other, those of methods that adapt, by row."""
    rows = enumerate(table.rows)
    return {number: row.cells[pair] for number, row in rows if adapts(row.kind) and pair in row.cells}


def averaged_pairs(table: Table) -> tuple[Pair, ...]:
    """Return the pairs that averages are taken over: those of some method that adapts; all, where none adapts."""
    adapted = tuple(pair for pair in table.pairs if competing(table, pair))
    return adapted or tuple(table.pairs)


def average(table: Table, row: int, which: Which) -> float | None:
    """Return the mean over `averaged_pairs` of a row's means; None where it lacks a pair, or there is only one."""
    cells, pairs = table.rows[row].cells, averaged_pairs(table)
    if len(pairs) < 2 or any(pair not in cells for pair in pairs):
        return None
    return sum(estimate(cells[pair], which).mean for pair in pairs) / len(pairs)


def rank(numbers: Mapping[int, float], decimals: int = 2) -> dict[int, Rank]:
    """Rank numbers as they are shown: equal ones share a rank.

    Parameters
    ----------
    numbers
        By row. One alone has no rank, and of two only the better one.
    decimals
        How many are shown.
    """
    shown = {row: f"{number:.{decimals}f}" for row, number in numbers.items()}
    order = sorted(set(shown.values()), key=float, reverse=True)
    if len(shown) < 2:
        return {}
    ranks: dict[str, Rank] = {order[0]: "best"}
    if len(shown) > 2 and len(order) > 1:
        ranks[order[1]] = "second"
    return {row: ranks[text] for row, text in shown.items() if text in ranks}

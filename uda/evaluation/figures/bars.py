"""Accuracy bars: each method's mean, with the deviation over seeds and the interval that the test set allows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from uda.evaluation.figures.style import (
    INK,
    MUTED,
    PAPER,
    Drawing,
    Mark,
    Width,
    fitted,
    grid_of_panels,
    styled,
    told_apart,
)
from uda.evaluation.layout import ORDERS, Headline
from uda.evaluation.ranking import estimate
from uda.evaluation.series import Series, ordered_labels, panel_titles

_ROW = 0.3  # inches for one method
_SEEDS, _TEST_SET = -0.2, 0.2  # where a bar's two intervals lie, in parts of its row


@styled
def accuracy_bars(
    series: Sequence[Series],
    looks: Mapping[str, Mark],
    headline: Headline = "last",
    start: float = 0.0,
    width: Width | None = None,
) -> Drawing:
    """Draw one panel per pair, one bar per method.

    Parameters
    ----------
    series
        Folders are not needed.
    looks
        The mark of each label.
    headline
        Whether the accuracy at the last step or at the validator's pick is drawn.
    start
        Percent at which the axis begins. Above zero, lengths would mislead: there are points instead of bars, and an
        arrow with its number for a mean that lies below.
    width
        Where it is not given: a column for one panel, a page for more.
    """
    titles = panel_titles(series)
    labels = ordered_labels(series)
    width = width or ("column" if len(titles) == 1 else "page")
    columns = 1 if width == "column" else 3
    figure, axes = grid_of_panels(
        len(titles), width, columns, 0.55 + _ROW * len(labels), 0.32 if columns == 1 else 0.2, sharey=True
    )
    for place, (axis, (key, title)) in enumerate(zip(axes, titles.items(), strict=True)):
        here = {each.label: each for each in series if (each.protocol, each.pair) == key}
        for row, label in enumerate(labels):
            if label in here:
                _bar(axis, row, here[label], looks[label], headline, start)
            else:
                _write(axis, start, row, "–")
        axis.set_title(fitted(title, 40))
        axis.set_xlabel("target test accuracy, %" if place + columns >= len(titles) else "")
        _frame(axis, labels, start)
    _legend(figure, columns)
    return Drawing(figure, _caption(series, headline, start))


def _bar(axis: Axes, place: int, each: Series, look: Mark, headline: Headline, start: float) -> None:
    found = estimate(each.cell, ORDERS[headline][0])
    if found.mean < start:
        _write(axis, start, place, f"◂ {found.mean:.1f}")
        return
    low, high = each.cell.interval(found)
    reach = max(high, found.mean + (found.std or 0.0), *found.values)
    if start == 0.0:
        axis.barh(place, found.mean, height=0.62, color=look.colour, alpha=0.35, linewidth=0)
        axis.plot([found.mean] * 2, [place - 0.31, place + 0.31], color=look.colour, linewidth=1.2)
    else:
        axis.plot(found.mean, place, look.marker, color=look.colour, markersize=4, zorder=4)
        axis.axhline(place, color=MUTED, alpha=0.25, linewidth=0.4, zorder=0)
    axis.plot([low, high], [place + _TEST_SET] * 2, color=INK, linewidth=0.6)
    if found.std is not None:
        ends = [found.mean - found.std, found.mean + found.std]
        axis.plot(ends, [place + _SEEDS] * 2, color=INK, linewidth=1.8, solid_capstyle="butt")
        axis.plot(
            found.values, [place + _SEEDS] * len(found.values), "o", color=PAPER, markeredgecolor=INK, markersize=2
        )
    _write(axis, reach, place, f"{found.mean:.1f}")


def _write(axis: Axes, x: float, place: int, text: str) -> None:
    axis.annotate(text, (x, place), xytext=(3, 0), textcoords="offset points", va="center", fontsize=7)


def _frame(axis: Axes, labels: Sequence[str], start: float) -> None:
    axis.set_yticks(range(len(labels)), told_apart(labels, 30, 2))
    axis.set_ylim(len(labels) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(start == 0.0)
    axis.set_xlim(start, 100.0 + 0.14 * (100.0 - start))  # room for the number behind a full bar
    axis.spines["bottom"].set_bounds(start, 100.0)
    axis.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_xticks([tick for tick in axis.get_xticks() if start <= tick <= 100.0])
    axis.grid(axis="x")


def _legend(figure: Figure, columns: int) -> None:
    seeds = Line2D([], [], color=INK, linewidth=1.8, marker="o", markersize=2, markerfacecolor=PAPER)
    test_set = Line2D([], [], color=INK, linewidth=0.6)
    names = ["± standard deviation over seeds, and each seed", "95 % interval of the test set's size (Wilson)"]
    figure.legend([seeds, test_set], names, loc="outside lower center", ncols=min(2, columns))


def _caption(series: Sequence[Series], headline: Headline, start: float) -> str:
    where = "at the last step" if headline == "last" else "at the validator's pick"
    sizes = sorted({run.n_test for each in series for run in each.runs})
    images = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
    axis = f" The axis begins at {start:g} %." if start else ""
    return (
        f"Target test accuracy {where}, mean over seeds. Thick: sample standard deviation over seeds, each seed a "
        f"point. Thin: Wilson's 95 % interval for {images} test images.{axis}"
    )


def near_start(series: Sequence[Series], headline: Headline = "last") -> float:
    """Return the largest multiple of ten that every interval lies above: where an axis may begin."""
    lows = []
    for each in series:
        found = estimate(each.cell, ORDERS[headline][0])
        low, _ = each.cell.interval(found)
        lows.append(min(low, found.mean - (found.std or 0.0), *found.values))
    return max(0.0, 10.0 * math.floor(min(lows) / 10.0))

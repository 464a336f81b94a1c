"""Confusion matrices: of each true class, the share that is taken for each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from uda.evaluation.figures.style import COLOURS, INK, PAPER, Drawing, Width, grid_of_panels, styled

_NUMBERS_UP_TO = 12  # classes; beyond it cells are smaller than their numbers
_NAMES_UP_TO = 40
#: One hue from the paper to nearly ink: its lightness falls evenly, so that grey print keeps the order.
SHADES = LinearSegmentedColormap.from_list("uda", [PAPER, "#a9cbe4", COLOURS[0], "#002a44"])


@dataclass(frozen=True)
class Confusion:
    """A matrix and what stands above it.

    Attributes
    ----------
    title
        Of its panel.
    counts
        (K, K); row: true class, column: predicted class; summed over seeds.
    runs
        How many seeds.
    """

    title: str
    counts: NDArray[np.int64]
    runs: int = 1


def count(labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Count (N,) true and predicted classes: (K, K); row: true class, column: predicted class."""
    cells = labels * classes + predicted
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each row in percent of its sum; NaN for a class without images."""
    sums = counts.sum(axis=1, keepdims=True)
    return np.divide(100.0 * counts, sums, out=np.full(counts.shape, np.nan), where=sums > 0)


@styled
def confusion_matrices(found: Sequence[Confusion], class_names: Sequence[str], width: Width | None = None) -> Drawing:
    """Draw one matrix per panel.

    Parameters
    ----------
    found
        At least one.
    class_names
        In label order.
    width
        Where it is not given: a column for one panel, a page for more.
    """
    width = width or ("column" if len(found) == 1 else "page")
    columns = 1 if width == "column" else 2 if len(class_names) > 5 else 3
    height = {("column", 1): 3.2, ("page", 2): 3.35, ("page", 3): 2.3}[width, columns]
    figure, axes = grid_of_panels(len(found), width, columns, height)
    for place, (axis, one) in enumerate(zip(axes, found, strict=True)):
        _matrix(axis, one, class_names)
        axis.set_title(one.title)
        axis.set_xlabel("predicted class")
        axis.set_ylabel("true class" if place % columns == 0 else "")
    seeds = sorted({one.runs for one in found})
    summed = "" if seeds == [1] else f", over {seeds[0]} seeds" if len(seeds) == 1 else ", over all seeds of each"
    return Drawing(figure, f"Of each true class (row), the percentage predicted as each class{summed}; empty: none.")


def _matrix(axis: Axes, one: Confusion, class_names: Sequence[str]) -> None:
    percent = shares(one.counts)
    classes = len(percent)
    # as cells and not as an image: sharp in PDF and SVG at any size
    axis.pcolormesh(np.nan_to_num(percent), cmap=SHADES, vmin=0, vmax=100, edgecolors=PAPER, linewidth=0.4)
    axis.set_aspect("equal")
    axis.set_ylim(classes, 0)
    for side in axis.spines.values():
        side.set_visible(True)
        side.set_linewidth(0.4)
    axis.tick_params(length=0)
    ticks, names = np.arange(classes) + 0.5, list(class_names)
    if classes > _NAMES_UP_TO:
        ticks, names = np.array([]), []
    long = max(map(len, names), default=0) > 3
    axis.set_xticks(ticks, names, rotation=45 if long else 0, ha="right" if long else "center")
    axis.set_yticks(ticks, names)
    for row, column in np.argwhere(one.counts) if classes <= _NUMBERS_UP_TO else ():
        value = percent[row, column]
        text = f"{value:.0f}" if value >= 0.5 else "<1"
        colour = PAPER if value > 45 else INK
        axis.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour, fontsize=6)

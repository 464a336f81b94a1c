"""Confusion matrices: of each true class, the share that is taken for each class."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from uda.errors import UserError
from uda.evaluation.classify import Weights, classify
from uda.evaluation.figures.style import COLOURS, INK, PAPER, Drawing, Width, fitted, grid_of_panels, styled, told_apart
from uda.evaluation.series import Predictions, Series, checkpoint_titles, panel_titles, read_predictions
from uda.training.checkpoint import read_checkpoint

_NUMBERS_UP_TO = 12  # classes; beyond it cells are smaller than their numbers
#: (width, columns of panels): height of a panel, about the side of its matrix, inches both, and letters of its title.
_PANELS: dict[tuple[Width, int], tuple[float, float, int]] = {
    ("column", 1): (3.2, 2.3, 34),
    ("page", 1): (6.6, 5.2, 80),
    ("page", 2): (3.35, 2.3, 34),
    ("page", 3): (2.3, 1.5, 22),
}
_ROWS_BESIDE = 22  # classes; with more of them, matrices of a page's half have no room for their names
_SMALLEST = 4.0  # points; smaller names are left out
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


def confusions(series: Sequence[Series], weights: Weights) -> tuple[list[Confusion], tuple[str, ...]]:
    """Count what the runs of each series predicted on the target test split, over its seeds.

    Parameters
    ----------
    series
        Those without predictions are left out.
    weights
        Predictions at the last step, or at the validator's pick.

    Returns
    -------
    tuple
        One matrix per series, and the class names.

    Raises
    ------
    UserError
        Where no run has predictions, or where their classes differ.
    """
    titles = panel_titles(series)
    kept: list[tuple[str, list[Predictions]]] = []
    names: dict[tuple[str, ...], Path] = {}
    for each in series:
        found = [read for folder in each.known_folders if (read := read_predictions(folder, each.runs[0].method))]
        if found:
            title = each.label if len(titles) == 1 else f"{each.label}, {titles[each.protocol, each.pair]}"
            kept.append((title, found))
            names |= _class_names(each.known_folders)
    if not kept:
        raise UserError("no run here has a predictions.npz: give run folders that this version of uda made")
    _same_classes(names)
    count_of_classes = 1 + max(one.largest for _, found in kept for one in found)
    chosen = next(iter(names), tuple(map(str, range(count_of_classes))))
    if count_of_classes > len(chosen):
        raise UserError(
            f"{names[chosen]}: knows {len(chosen)} classes, but there are predictions of more: train it again"
        )
    return [
        Confusion(title, np.sum([count(p.labels, getattr(p, weights), len(chosen)) for p in found], axis=0), len(found))
        for title, found in kept
    ], chosen


def checkpoint_confusions(
    paths: Sequence[Path], weights: Weights, root: Path
) -> tuple[list[Confusion], tuple[str, ...]]:
    """Classify the target test split with checkpoints of the same classes; returns and raises as `confusions`."""
    found = [classify(path, weights, root) for path in paths]
    names = {one.loaded.class_names: one.path for one in found}
    _same_classes(names)
    titles = checkpoint_titles([one.loaded.config for one in found])
    return [
        Confusion(title, count(one.labels.numpy(), one.predicted.numpy(), one.logits.shape[1]))
        for title, one in zip(titles, found, strict=True)
    ], found[0].loaded.class_names


def _same_classes(names: Mapping[tuple[str, ...], Path]) -> None:
    if len(names) > 1:
        one, other = list(names.values())[:2]
        raise UserError(f"{one} and {other} have different classes: draw them one at a time")


def _class_names(folders: Iterable[Path]) -> dict[tuple[str, ...], Path]:
    """Return the names of the classes of some runs, and where they are from: the first checkpoint that can be read."""
    for folder in folders:
        with suppress(UserError):
            return {tuple(read_checkpoint(folder / "checkpoint.pt")["class_names"]): folder}
    return {}


def count(labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Count (N,) true and predicted classes: (K, K); row: true class, column: predicted class."""
    cells = labels * classes + predicted
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each row in percent of its sum; NaN for a class without images."""
    sums = counts.sum(axis=1, keepdims=True)
    percent = np.full(counts.shape, np.nan)
    np.divide(100.0 * counts, sums, out=percent, where=sums > 0)
    return percent


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
    classes = len(class_names)
    width = width or ("column" if len(found) == 1 and classes <= _ROWS_BESIDE else "page")
    columns = 1 if width == "column" or classes > _ROWS_BESIDE else 2 if classes > 5 else 3
    height, side, letters = _PANELS[width, columns]
    room = 72.0 * side / classes
    figure, axes = grid_of_panels(len(found), width, columns, height)
    for place, (axis, one) in enumerate(zip(axes, found, strict=True)):
        _matrix(axis, one)
        _name_classes(axis, class_names, room)
        axis.set_title("\n".join(textwrap.wrap(fitted(one.title, 2 * letters), letters)))
        axis.set_xlabel("predicted class")
        axis.set_ylabel("true class" if place % columns == 0 else "")
    seeds = sorted({one.runs for one in found})
    summed = "" if seeds == [1] else f", over {seeds[0]} seeds" if len(seeds) == 1 else ", over all seeds of each"
    unnamed = "" if _size(room) else f" The {classes} classes are in their order."
    return Drawing(
        figure, f"Of each true class (row), the percentage predicted as each class{summed}; empty: none.{unnamed}"
    )


def _size(room: float) -> float:
    """Return the size of names that have so much room, both in points; 0 where they could not be read."""
    size = min(7.0, 0.9 * room)
    return size if size >= _SMALLEST else 0.0


def _name_classes(axis: Axes, class_names: Sequence[str], room: float) -> None:
    """Write the names of the classes at rows and columns that are ``room`` points high and wide."""
    size = _size(room)
    ticks, names = np.arange(len(class_names)) + 0.5, told_apart(class_names, 14)
    if not size:
        ticks, names = np.array([]), []
    # a letter is about 0.65 of its size wide, and lines at 45 degrees are nearer to each other than upright ones
    long = 0.65 * size * max(map(len, names), default=0) > room
    turned = (45 if room > 1.6 * size else 90) if long else 0
    axis.set_xticks(ticks, names, rotation=turned, ha="right" if turned == 45 else "center", fontsize=size or None)
    axis.set_yticks(ticks, names, fontsize=size or None)


def _matrix(axis: Axes, one: Confusion) -> None:
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
    for row, column in np.argwhere(one.counts) if classes <= _NUMBERS_UP_TO else ():
        value = percent[row, column]
        text = f"{value:.0f}" if value >= 0.5 else "<1"
        colour = PAPER if value > 45 else INK
        axis.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour, fontsize=6)

"""Confusion matrices: of each true class, the share that is taken for each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from uda.errors import UserError
from uda.evaluation.classify import Weights, classify
from uda.evaluation.figures.class_names import write_class_names
from uda.evaluation.figures.names import fit_titles
from uda.evaluation.figures.style import COLOURS, INK, PAPER, Drawing, Width, grid_of_panels, styled
from uda.evaluation.series import Predictions, Series, checkpoint_titles, panel_titles, read_predictions
from uda.training.checkpoint import read_checkpoint

_NUMBERS_UP_TO = 12  # classes; beyond it cells are smaller than their numbers
_COLUMN_UP_TO = 20  # classes; the names of more do not fit beside a matrix in a column
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


def confusions(series: Sequence[Series], weights: Weights) -> tuple[list[Confusion], tuple[str, ...], tuple[str, ...]]:
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
        One matrix per series, the class names, and a sentence for each checkpoint that these could not be read from.

    Raises
    ------
    UserError
        Where no run has predictions, or where their classes differ.
    """
    titles = panel_titles(series)
    kept: list[tuple[str, list[Predictions]]] = []
    names: dict[tuple[str, ...], Path] = {}
    unread: list[str] = []
    for each in series:
        found = [read for folder in each.known_folders if (read := read_predictions(folder, each.runs[0].method))]
        if found:
            title = each.label if len(titles) == 1 else f"{each.label}, {titles[each.protocol, each.pair]}"
            kept.append((title, found))
            read_names, damaged = _read_class_names(each.known_folders)
            names |= read_names
            unread += damaged
    if not kept:
        raise UserError("no run here has a predictions.npz: give run folders that this version of uda made")
    _same_classes(names)
    count_of_classes = 1 + max(one.largest for _, found in kept for one in found)
    chosen = next(iter(names), tuple(map(str, range(count_of_classes))))
    if count_of_classes > len(chosen):
        raise UserError(
            f"{names[chosen]}: knows {len(chosen)} classes, but there are predictions of more: train it again"
        )
    return (
        [
            Confusion(
                title, np.sum([count(p.labels, getattr(p, weights), len(chosen)) for p in found], axis=0), len(found)
            )
            for title, found in kept
        ],
        chosen,
        tuple(unread),
    )


def checkpoint_confusions(
    paths: Sequence[Path], weights: Weights, root: Path
) -> tuple[list[Confusion], tuple[str, ...]]:
    """Classify the target test split with checkpoints of the same classes; return the matrices and the class names."""
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


def _read_class_names(folders: Sequence[Path]) -> tuple[dict[tuple[str, ...], Path], list[str]]:
    """Return the class names of the first run whose checkpoint, which alone has them, was kept and can be read.

    Also a sentence for each checkpoint that cannot be read: predictions are drawn without it.
    """
    unread: list[str] = []
    for folder in folders:
        path = folder / "checkpoint.pt"
        try:
            if path.is_file():
                return {tuple(read_checkpoint(path)["class_names"]): folder}, unread
        except UserError as error:
            unread.append(f"the class names in {error}")
    return {}, unread


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
        Where it is not given: a column for one panel of up to 20 classes, a page for more.
    """
    width, columns, height = _size(len(found), len(class_names), width)
    figure, axes = grid_of_panels(len(found), width, columns, height)
    for place, (axis, one) in enumerate(zip(axes, found, strict=True)):
        mesh = _matrix(axis, one)
        axis.set_xlabel("predicted class")
        axis.set_ylabel("true class" if place % columns == 0 else "")
    if len(class_names) > _NUMBERS_UP_TO:
        bar = figure.colorbar(
            mesh, ax=axes, label="% of the true class", fraction=0.04, shrink=0.6, aspect=30, pad=0.02
        )
        bar.outline.set_linewidth(0.4)
    step = write_class_names(figure, axes, class_names)
    fit_titles(figure, axes, [one.title for one in found])
    seeds = sorted({one.runs for one in found})
    summed = "" if seeds == [1] else f", over {seeds[0]} seeds" if len(seeds) == 1 else ", over all seeds of each"
    said = f"Of each true class (row), the percentage predicted as each class{summed}; empty: none."
    few = f" For lack of room only one class in {step} is named, from the first on." if step > 1 else ""
    return Drawing(figure, said + few)


def _size(panels: int, classes: int, width: Width | None) -> tuple[Width, int, float]:
    """Return the width of a figure, how many matrices stand side by side, and the height of one, inches.

    A single matrix of many classes grows with them until it fills a page's width.
    """
    if panels == 1 and classes > _COLUMN_UP_TO and width != "column":
        return "page", 1, min(6.6, 1.4 + 0.13 * classes)
    width = width or ("column" if panels == 1 else "page")
    columns = 1 if width == "column" else 2 if classes > 5 else 3
    return width, columns, {("column", 1): 3.2, ("page", 2): 3.35, ("page", 3): 2.3}[width, columns]


def _matrix(axis: Axes, one: Confusion) -> QuadMesh:
    """Draw the cells, with their numbers where there are few, and return them."""
    percent = shares(one.counts)
    classes = len(percent)
    # as cells and not as an image: sharp in PDF and SVG at any size
    edge = 0.4 if classes <= _NUMBERS_UP_TO else 0.15
    mesh = axis.pcolormesh(np.nan_to_num(percent), cmap=SHADES, vmin=0, vmax=100, edgecolors=PAPER, linewidth=edge)
    axis.set_aspect("equal")
    axis.set_ylim(classes, 0)
    for side in axis.spines.values():
        side.set_visible(True)
        side.set_linewidth(0.4)
    for row, column in np.argwhere(one.counts) if classes <= _NUMBERS_UP_TO else ():
        value = percent[row, column]
        text = f"{value:.0f}" if value >= 0.5 else "<1"
        colour = PAPER if value > 45 else INK
        axis.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour, fontsize=6)
    return mesh

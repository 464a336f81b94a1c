"""t-SNE of both domains' features: the same points by class and by domain."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from uda.evaluation.embedding import Embedding
from uda.evaluation.figures.style import COLOURS, INK, MUTED, Drawing, Width, grid_of_panels, shown, styled, told_apart

#: Class colours; with more classes than colours they come again, with another marker, or as other names.
_CLASS_COLOURS = (*COLOURS, INK, "#8C6D1F", MUTED, "#8A63C9")
_CLASS_MARKERS = ("o", "^", "s", "v", "D", "P", "X")
_TOLD_APART = len(_CLASS_COLOURS) * len(_CLASS_MARKERS)  # classes
_WRITTEN_UP_TO = 2  # letters of a name that stands in the place of a point


@styled
def tsne_panels(found: Embedding, width: Width = "page") -> Drawing:
    """Draw two panels: each point's class, as `Embedding` has it, and each point's domain.

    Parameters
    ----------
    found
        From `uda.evaluation.embedding`.
    width
        Of the figure.
    """
    size = {"column": 1.75, "page": 3.45}[width]
    written, names = _written(found.class_names), told_apart(found.class_names, 20)
    columns, rows = _legend_shape(names, width) if not written and len(names) <= _TOLD_APART else (0, 0)
    figure, (by_class, by_domain) = grid_of_panels(2, width, 2, size, 0.2 + 0.14 * rows)
    scale = {"column": 0.6, "page": 1.0}[width]
    _by_class(by_class, found, scale, written)
    by_class.set_title("by class")
    if columns:
        figure.legend(
            by_class.lines,
            [shown(name) for name in names],
            loc="outside lower center",
            ncols=columns,
            markerscale=1.3 / scale,
        )
    looks = [(~found.target, found.source_name, "o", COLOURS[0]), (found.target, found.target_name, "^", COLOURS[1])]
    for chosen, _, marker, colour in looks:
        x, y = found.points[chosen].T
        by_domain.plot(
            x, y, marker, color=colour, markerfacecolor="none", markersize=2.4 * scale, markeredgewidth=0.5 * scale
        )
    by_domain.set_title("by domain")
    handles = [
        Line2D([], [], linestyle="none", marker=marker, color=colour, markerfacecolor="none")
        for *_, marker, colour in looks
    ]
    by_domain.legend(
        handles, told_apart([name for _, name, _, _ in looks], 24), loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2
    )
    for axis in (by_class, by_domain):
        axis.set_xticks([])
        axis.set_yticks([])
        for side in axis.spines.values():
            side.set_visible(True)
            side.set_linewidth(0.4)
    classes = (
        "true class" if found.labelled else f"true class (of {found.target_name}, without labels, the predicted one)"
    )
    counts = int((~found.target).sum()), int(found.target.sum())
    unnamed = "" if written or columns else f" {len(names)} classes are too many to be told by colour."
    return Drawing(
        figure,
        f"t-SNE of the features that the classifier reads: {counts[0]:,} held-out images of {found.source_name} and "
        f"{counts[1]:,} of {found.target_name}, by {classes} and by domain. Only neighbourhoods "
        f"mean anything.{unnamed}",
    )


def _written(names: Sequence[str]) -> bool:
    """Whether names are so short that they stand in the place of points: then no colour is to be told from another."""
    return all(0 < len(name.strip()) <= len(name) <= _WRITTEN_UP_TO for name in names)


def _by_class(axis: Axes, found: Embedding, scale: float, written: bool) -> None:
    """Draw the points of each class as one line: as its name, or by colour and marker."""
    for label, name in enumerate(found.class_names):
        x, y = found.points[found.labels == label].T
        colour = _CLASS_COLOURS[label % len(_CLASS_COLOURS)]
        plain = _CLASS_MARKERS[label // len(_CLASS_COLOURS) % len(_CLASS_MARKERS)]
        marker, size = (written_marker(name), 3.6) if written else (plain, 2.0)
        axis.plot(x, y, linestyle="none", marker=marker, color=colour, markersize=size * scale, markeredgewidth=0)


def written_marker(name: str) -> Path:
    """Return a name as the outline of its letters, centred: a marker that is never read as mathematics."""
    outline = TextPath((0, 0), name, size=10)
    box = outline.get_extents()
    return Path(outline.vertices - ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2), outline.codes)


def _legend_shape(names: Sequence[str], width: Width) -> tuple[int, int]:
    """Return how many columns and rows a legend of classes has below both panels."""
    letters = {"column": 50, "page": 110}[width]
    columns = max(1, min(len(names), letters // (max(map(len, names)) + 6)))
    return columns, -(-len(names) // columns)

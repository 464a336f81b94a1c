"""t-SNE of both domains' features: the same points by class and by domain."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from uda.evaluation.embedding import Embedding
from uda.evaluation.figures.names import fitted_apart, shown
from uda.evaluation.figures.style import COLOURS, INK, MUTED, Drawing, Width, grid_of_panels, styled

#: Class colours; with more classes than colours they come again, and the writing tells them apart.
_CLASS_COLOURS = (*COLOURS, INK, "#8C6D1F", MUTED, "#8A63C9")
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
    figure, (by_class, by_domain) = grid_of_panels(2, width, 2, size, 0.2)
    scale = {"column": 0.6, "page": 1.0}[width]
    _by_class(by_class, found, scale)
    by_class.set_title("by class")
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
    names = fitted_apart([name for _, name, _, _ in looks], 24)
    by_domain.legend(handles, names, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2)
    for axis in (by_class, by_domain):
        axis.set_xticks([])
        axis.set_yticks([])
        for side in axis.spines.values():
            side.set_visible(True)
            side.set_linewidth(0.4)
    classes = (
        "true class" if found.labelled else f"true class (of {found.target_name}, without labels, the predicted one)"
    )
    shown = int((~found.target).sum()), int(found.target.sum())
    return Drawing(
        figure,
        f"t-SNE of the features that the classifier reads: {shown[0]:,} held-out images of {found.source_name} and "
        f"{shown[1]:,} of {found.target_name}, by {classes} and by domain. Only neighbourhoods mean anything.",
    )


def _by_class(axis: Axes, found: Embedding, scale: float) -> None:
    """Write short class names in the place of points, so that no colour needs to be told from another; else colours."""
    written = all(0 < len(name.strip()) <= len(name) <= _WRITTEN_UP_TO for name in found.class_names)
    for label, name in enumerate(fitted_apart(found.class_names, 20)):
        x, y = found.points[found.labels == label].T
        colour = _CLASS_COLOURS[label % len(_CLASS_COLOURS)]
        if written:
            marker = written_marker(name)
            axis.plot(x, y, linestyle="none", marker=marker, color=colour, markersize=3.6 * scale, markeredgewidth=0)
        else:
            axis.plot(x, y, ".", color=colour, markersize=3 * scale, label=shown(name))
    if not written:
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=_columns(found.class_names), markerscale=2)


def written_marker(name: str) -> Path:
    """Return a name as the outline of its letters, centred: a marker that is never read as mathematics."""
    outline = TextPath((0, 0), name, size=10)
    box = outline.get_extents()
    return Path(outline.vertices - ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2), outline.codes)


def _columns(names: Sequence[str]) -> int:
    return max(1, min(len(names), 48 // (max(map(len, names)) + 4)))

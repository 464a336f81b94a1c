"""t-SNE of both domains' features: the same points by class and by domain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from uda.evaluation.embedding import Embedding
from uda.evaluation.figures.names import fitted_apart, shown
from uda.evaluation.figures.style import COLOURS, INK, MUTED, Drawing, Width, grid_of_panels, styled

#: Class colours; with more classes than colours they come again, and what is written tells them apart.
_CLASS_COLOURS = (*COLOURS, INK, "#8C6D1F", MUTED, "#8A63C9")
_WRITTEN_UP_TO = 2  # letters of a name that stands in the place of a point
_LETTERS = 18  # of a name in the legend
_ENTRIES: dict[Width, int] = {"column": 40, "page": 120}  # classes in a legend; the names of more are left out
_ROOM: dict[Width, int] = {"column": 55, "page": 120}  # letters beside each other in a legend
_MARKER = 6  # letters whose room a marker takes, with what stands around it
_LINE = 0.145  # inches of a legend's line
_DIGIT = TextPath((0, 0), "0", size=10).get_extents().height


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
    scale = {"column": 0.6, "page": 1.0}[width]
    names = fitted_apart(found.class_names, _LETTERS)
    beside = max(1, min(len(names), _ROOM[width] // (max(map(len, names)) + _MARKER)))
    listed = not _written(names) and len(names) <= _ENTRIES[width]
    lines = -(-len(names) // beside)
    figure, (by_class, by_domain) = grid_of_panels(2, width, 2, size, 0.2 + (0.2 + _LINE * lines) * listed)
    handles = _by_class(by_class, found, scale)
    if listed:
        figure.legend(
            handles,
            list(map(shown, names)),
            loc="outside lower center",
            ncols=-(-len(names) // lines),
            handlelength=1.0,
        )
    by_class.set_title("by class")
    _by_domain(by_domain, found, scale, width)
    by_domain.set_title("by domain")
    for axis in (by_class, by_domain):
        axis.set_xticks([])
        axis.set_yticks([])
        for side in axis.spines.values():
            side.set_visible(True)
            side.set_linewidth(0.4)
    classes = (
        "true class" if found.labelled else f"true class (of {found.target_name}, without labels, the predicted one)"
    )
    images = [f"{int(chosen.sum()):,}" for chosen in (~found.target, found.target)]
    return Drawing(
        figure,
        f"t-SNE of the features that the classifier reads: {images[0]} held-out images of {found.source_name} and "
        f"{images[1]} of {found.target_name}, by {classes} and by domain. Only neighbourhoods mean anything."
        + _numbers_said(found.class_names, listed),
    )


def _written(names: Sequence[str]) -> bool:
    """Tell whether all names are short enough to stand in the place of points."""
    return all(0 < len(name.strip()) <= len(name) <= _WRITTEN_UP_TO for name in names)


def _by_class(axis: Axes, found: Embedding, scale: float) -> list[Line2D]:
    """Draw the points of each class, and return a legend's handle for each.

    Short names, or the numbers of many classes, stand in the place of points, so that no colour needs to be told from
    another; a few longer names have colours.
    """
    names, handles = found.class_names, []
    written = _written(names)
    many = len(names) > len(_CLASS_COLOURS)
    for label, name in enumerate(names):
        x, y = found.points[found.labels == label].T
        look: dict[str, Any] = {"linestyle": "none", "color": _CLASS_COLOURS[label % len(_CLASS_COLOURS)]}
        if many or written:
            marker = written_marker(name if written else str(label))
            # matplotlib makes what is farthest out in a marker equally far out: so all digits are of one height
            letters = 2 * float(np.abs(marker.vertices).max()) / _DIGIT
            look |= {"marker": marker, "markeredgewidth": 0}
            sizes = 3.6 * scale * letters, 4.6 * letters
        else:
            look |= {"marker": "."}
            sizes = 3.0 * scale, 6.0
        axis.plot(x, y, markersize=sizes[0], **look)
        handles.append(Line2D([], [], markersize=sizes[1], **look))
    return handles


def _by_domain(axis: Axes, found: Embedding, scale: float, width: Width) -> None:
    """Draw each domain's points with a marker of its own, and the legend below."""
    names = fitted_apart([found.source_name, found.target_name], 24)
    handles = []
    for chosen, marker, colour in zip((~found.target, found.target), "o^", COLOURS[:2], strict=True):
        look: dict[str, Any] = {"linestyle": "none", "marker": marker, "color": colour, "markerfacecolor": "none"}
        x, y = found.points[chosen].T
        axis.plot(x, y, markersize=2.4 * scale, markeredgewidth=0.5 * scale, **look)
        handles.append(Line2D([], [], **look))
    beside = 2 if sum(map(len, names)) + 2 * _MARKER <= _ROOM[width] // 2 else 1
    axis.legend(handles, names, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=beside, handlelength=1.0)


def _numbers_said(names: Sequence[str], listed: bool) -> str:
    """Say what numbers in the place of points are, where names have no room."""
    if _written(names) or len(names) <= len(_CLASS_COLOURS):
        return ""
    if listed:
        return " Numbers are classes."
    return (
        f" Numbers are classes in their order, from 0 ({names[0]}) to {len(names) - 1} ({names[-1]}): there is no room "
        "for a legend of them all."
    )


def written_marker(name: str) -> Path:
    """Return a name as the outline of its letters, centred: a marker that is never read as mathematics."""
    outline = TextPath((0, 0), name, size=10)
    box = outline.get_extents()
    return Path(outline.vertices - ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2), outline.codes)

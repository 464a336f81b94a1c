"""Class names along the sides of matrices: all of them where they have room, else each second, fifth, … of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from uda.evaluation.figures.names import fitted_apart

_LETTERS = 14  # of a name
_SLANTED_UP_TO = 12  # classes; slanted names of more would touch each other, upright ones do not
_LEAST, _MOST = 5.0, 7.0  # points of their letters
_LINE = 1.25  # what a line takes, in parts of its letters
_WIDE = 0.7  # what a digit takes
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def write_class_names(figure: Figure, axes: Sequence[Axes], class_names: Sequence[str]) -> int:
    """Write class names along the left and the lower side of equal matrices, in letters that do not touch.

    Parameters
    ----------
    figure, axes
        Class k has its middle at k + 1/2 on both axes.
    class_names
        In label order.

    Returns
    -------
    int
        One of so many classes is named: 1 where all are.
    """
    names = fitted_apart(class_names, _LETTERS)
    longest = max(map(len, names), default=0)
    lying = longest <= 3
    taken = max(_LINE, _WIDE * longest) if lying else _LINE
    turn = 0 if lying else 45 if len(names) <= _SLANTED_UP_TO else 90
    _write(axes, names, turn, 1, _LEAST)
    cell = _cell(figure, axes, len(names))
    step = next((step for step in _STEPS if step * cell >= taken * _LEAST), _STEPS[-1])
    _write(axes, names, turn, step, min(_MOST, step * cell / taken))
    cell = _cell(figure, axes, len(names))  # again: larger letters leave less room to the matrix
    _write(axes, names, turn, step, min(_MOST, step * cell / taken))
    return step


def _cell(figure: Figure, axes: Sequence[Axes], classes: int) -> float:
    """Return the side of a matrix's cell in points, as the figure is laid out now."""
    figure.draw_without_rendering()
    return 72 / figure.dpi * min(axis.get_window_extent().height for axis in axes) / max(1, classes)


def _write(axes: Sequence[Axes], names: Sequence[str], turn: int, step: int, size: float) -> None:
    """Write each ``step``-th name, turned below the matrix by some degrees, with a mark where not all are named."""
    places, chosen = np.arange(0, len(names), step) + 0.5, names[::step]
    for axis in axes:
        axis.tick_params(length=0 if step == 1 else 2)
        axis.set_xticks(places, chosen, fontsize=size, rotation=turn, ha="right" if turn == 45 else "center")
        axis.set_yticks(places, chosen, fontsize=size)

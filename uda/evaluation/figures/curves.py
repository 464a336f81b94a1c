"""Learning curves: accuracy, terms and validators over steps, mean and deviation over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from uda.errors import UserError, unknown
from uda.evaluation.figures.style import (
    Drawing,
    Mark,
    Width,
    fitted,
    grid_of_panels,
    legend_columns,
    styled,
    told_apart,
)
from uda.evaluation.series import Moment, Series, panel_titles, read_moments

ACCURACY = "accuracy"
_ROUND = [1, 2, 2.5, 5, 10]
_Key = tuple[str, tuple[str, str]]


@dataclass(frozen=True)
class Curve:
    """A quantity of one method in one panel.

    Attributes
    ----------
    label
        The method's.
    steps
        (S,) those that every seed was evaluated at.
    values
        (seeds, S).
    """

    label: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over seeds, (S,)."""
        mean: NDArray[np.float64] = self.values.mean(axis=0)
        return mean

    @property
    def std(self) -> NDArray[np.float64] | None:
        """Sample standard deviation over seeds, (S,); None for one seed."""
        return self.values.std(axis=0, ddof=1) if len(self.values) > 1 else None


@styled
def learning_curves(
    series: Sequence[Series], quantities: Sequence[str], looks: Mapping[str, Mark], width: Width | None = None
) -> Drawing:
    """Draw one panel per quantity and pair, one line per method, with a band where there are several seeds.

    Parameters
    ----------
    series
        All with folders.
    quantities
        ``"accuracy"``, ``"terms"`` (all of them), ``"validators"`` (all), or names of either.
    looks
        The mark of each label.
    width
        Where it is not given: a column for one panel, a page for more.

    Raises
    ------
    UserError
        For a quantity that no run has, and for runs without a history.
    """
    histories = {id(each): [read_moments(folder) for folder in each.known_folders] for each in series}
    if not any(histories.values()):
        raise UserError("these runs have no folders, so their histories are unknown: give run folders, not a runs.csv")
    moments = [moment for found in histories.values() for history in found for moment in history]
    titles = panel_titles(series)
    panels: list[tuple[str, _Key, list[Curve]]] = []
    for quantity in expand(quantities, moments):
        for key in titles:
            found = [
                curve(each.label, histories[id(each)], quantity)
                for each in series
                if (each.protocol, each.pair) == key and histories[id(each)]
            ]
            if kept := [one for one in found if one]:
                panels.append((quantity, key, kept))
    if not panels:
        raise UserError(f"no run here logged {' or '.join(quantities)}: give runs that did, or another quantity")
    return _draw(panels, titles, looks, width)


def expand(quantities: Sequence[str], moments: Sequence[Moment]) -> list[str]:
    """Return the names that some quantities stand for, each once; `UserError` for one that no run has."""
    terms = list(dict.fromkeys(name for moment in moments for name in moment.terms))
    validators = list(dict.fromkeys(name for moment in moments for name in moment.checkpoint.scores))
    groups = {ACCURACY: [ACCURACY], "terms": terms, "validators": validators}
    groups |= {name: [name] for name in [*terms, *validators]}
    for quantity in quantities:
        if quantity not in groups:
            raise unknown("quantity", quantity, groups)
    return list(dict.fromkeys(name for quantity in quantities for name in groups[quantity]))


def curve(label: str, histories: Sequence[Sequence[Moment]], quantity: str) -> Curve | None:
    """Collect a quantity over seeds at the steps that all seeds share; None where a seed does not have it."""
    read = partial(_value, quantity)
    by_step: list[dict[int, float]] = []
    for history in histories:
        values = {moment.checkpoint.step: read(moment) for moment in history}
        by_step.append({step: value for step, value in values.items() if value is not None})
    steps = sorted(set.intersection(*(set(values) for values in by_step))) if by_step else []
    if not steps:
        return None
    return Curve(label, np.array(steps), np.array([[values[step] for step in steps] for values in by_step]))


def _value(quantity: str, moment: Moment) -> float | None:
    if quantity == ACCURACY:
        return moment.checkpoint.accuracy
    return moment.terms.get(quantity, moment.checkpoint.scores.get(quantity))


def _draw(
    panels: Sequence[tuple[str, _Key, list[Curve]]],
    titles: Mapping[_Key, str],
    looks: Mapping[str, Mark],
    width: Width | None,
) -> Drawing:
    width = width or ("column" if len(panels) == 1 else "page")
    across = len({key for _, key, _ in panels})
    columns = (across if 1 < across <= 4 else 3) if width == "page" else min(2, across if across > 1 else 2)
    drawn = {one.label for _, _, found in panels for one in found}
    labels = [label for label in looks if label in drawn]
    beside = legend_columns(told_apart(labels, 36), width)
    rows = -(-len(labels) // beside)
    figure, axes = grid_of_panels(len(panels), width, columns, 1.9 if len(panels) == 1 else 1.6, 0.15 * rows)
    for place, (axis, (quantity, key, found)) in enumerate(zip(axes, panels, strict=True)):
        for one in found:
            draw_curve(axis, one, looks[one.label])
        _frame(axis, quantity, fitted(titles[key], 40) if len(titles) > 1 else "", place % columns == 0)
        axis.set_xlabel("step" if place + columns >= len(panels) else "")
    _legend(figure, labels, looks, beside)
    return Drawing(figure, _caption(panels))


def draw_curve(axis: Axes, one: Curve, look: Mark) -> None:
    """Draw one method's mean, with at most some ten markers, and its band."""
    every = max(1, len(one.steps) // 8)
    axis.plot(one.steps, one.mean, markevery=every, **look.line)
    if one.std is not None:
        low, high = one.mean - one.std, one.mean + one.std
        axis.fill_between(one.steps, low, high, color=look.colour, alpha=0.18, linewidth=0)


def _frame(axis: Axes, quantity: str, title: str, first: bool) -> None:
    axis.grid(axis="y")
    axis.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=_ROUND))
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axis.yaxis.set_major_locator(MaxNLocator(5, steps=_ROUND))
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:.4g}".replace("-", "−"))
    if quantity == ACCURACY:
        low, high = axis.get_ylim()
        axis.set_ylim(max(low, 0.0), 100.5 if high > 95.0 else high)
        axis.set_title(title)
        axis.set_ylabel("target test accuracy, %" if first else "")
    else:
        axis.set_title(f"{quantity.replace('_', ' ')}{', ' if title else ''}{title}")


def _legend(figure: Figure, labels: Sequence[str], looks: Mapping[str, Mark], columns: int) -> None:
    handles = [Line2D([], [], **looks[label].line) for label in labels]
    figure.legend(handles, told_apart(labels, 36), loc="outside lower center", ncols=columns)


def _caption(panels: Sequence[tuple[str, _Key, list[Curve]]]) -> str:
    seeds = sorted({len(one.values) for _, _, found in panels for one in found})
    what = list(dict.fromkeys(quantity for quantity, _, _ in panels))
    named = "Target test accuracy" if what == [ACCURACY] else "Terms and scores" if len(what) > 3 else ", ".join(what)
    sentence = f"{named[:1].upper()}{named[1:]} over training steps".replace("_", " ")
    if seeds == [1]:
        return f"{sentence}; one seed."
    counts = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    bands = "Bands: sample standard deviation over seeds" + (" (none for one seed)." if 1 in seeds else ".")
    return f"{sentence}, mean of {counts} seeds. {bands}"

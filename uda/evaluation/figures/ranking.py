"""Validators against accuracy: whether a score without target labels orders models as their accuracy does."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from uda.errors import UserError, unknown
from uda.evaluation.correlation import spearman
from uda.evaluation.figures.style import Drawing, Mark, Width, grid_of_panels, legend_columns, marks, styled, told_apart
from uda.evaluation.history import pickable, read_history
from uda.evaluation.series import Series, panel_titles

_Key = tuple[str, tuple[str, str]]


@dataclass(frozen=True)
class Scored:
    """One evaluation of one run: its pair, its method, what a validator says, and the truth in percent."""

    key: _Key
    label: str
    scores: Mapping[str, float]
    accuracy: float


@styled
def validator_scatter(
    series: Sequence[Series],
    looks: Mapping[str, Mark],
    validators: Sequence[str] = (),
    width: Width | None = None,
) -> Drawing:
    """Draw one panel per validator, one point per evaluation of a run.

    Points are coloured by pair where there are several, else by method. The supervised ceiling is left out: it was not
    trained as what validators choose among.

    Parameters
    ----------
    series
        All with folders.
    looks
        The mark of each label.
    validators
        Names; all that the runs have where there is none.
    width
        Where it is not given: a column for up to two panels, a page for more.

    Raises
    ------
    UserError
        For a validator that no run has, and for runs without a history.
    """
    chosen = [each for each in series if each.kind != "target-only"]
    points = scored(chosen)
    if not any(point.scores for point in points):
        raise UserError("no run here has a history of its validators: give run folders of runs that adapt")
    known = list(dict.fromkeys(name for point in points for name in point.scores))
    for name in validators:
        if name not in known:
            raise unknown("validator in these runs", name, known)
    names = list(dict.fromkeys(validators or known))
    titles = panel_titles(chosen)
    groups = [titles[point.key] for point in points] if len(titles) > 1 else [point.label for point in points]
    styles = marks((title, "other") for title in titles.values()) if len(titles) > 1 else dict(looks)
    width = width or ("column" if len(names) <= 2 else "page")
    columns = 2 if width == "column" else 4
    shown = told_apart(list(dict.fromkeys(groups)), 36)
    beside = legend_columns(shown, width)
    legend_rows = -(-len(shown) // beside)
    figure, axes = grid_of_panels(len(names), width, columns, 1.75, 0.16 * legend_rows, sharey=True)
    for place, (axis, name) in enumerate(zip(axes, names, strict=True)):
        _panel(axis, name, points, groups, styles)
        axis.set_ylabel("target test accuracy, %" if place % columns == 0 else "")
    handles = [_handle(styles[group]) for group in dict.fromkeys(groups)]
    figure.legend(handles, shown, loc="outside lower center", ncols=beside)
    return Drawing(figure, _caption(points, len(titles)))


def scored(series: Sequence[Series]) -> list[Scored]:
    """Return every evaluation of every run that has a folder; of a method that its last step makes, the last."""
    return [
        Scored((each.protocol, each.pair), each.label, checkpoint.scores, checkpoint.accuracy)
        for each in series
        for folder in each.known_folders
        for checkpoint in pickable(read_history(folder), each.runs[0].method)
    ]


def rank_correlation(name: str, points: Sequence[Scored]) -> float | None:
    """Return Spearman's correlation of score and accuracy within each pair, averaged over the pairs.

    Accuracies of different pairs are of different difficulty: pooled, they would correlate with anything that tells the
    pairs apart. None where all scores or all accuracies of each pair are equal.
    """
    found = []
    for key in dict.fromkeys(point.key for point in points):
        here = [point for point in points if point.key == key and name in point.scores]
        found.append(spearman([point.scores[name] for point in here], [point.accuracy for point in here]))
    defined = [value for value in found if value is not None]
    return statistics.fmean(defined) if defined else None


def _panel(axis: Axes, name: str, points: Sequence[Scored], groups: Sequence[str], styles: Mapping[str, Mark]) -> None:
    for group in dict.fromkeys(groups):
        here = [
            point
            for point, own in zip(points, groups, strict=True)
            if own == group and math.isfinite(point.scores.get(name, math.nan))
        ]
        scores, truth = [point.scores[name] for point in here], [point.accuracy for point in here]
        axis.plot(scores, truth, linestyle="none", **_dot(styles[group]))
    correlation = rank_correlation(name, points)
    said = "ρ –" if correlation is None else f"ρ {correlation:.2f}".replace("-", "−")
    axis.set_title(f"{name.replace('-', ' ')}\n{said}")
    axis.grid()
    axis.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 2.5, 5, 10]))
    axis.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))


def _dot(look: Mark) -> dict[str, Any]:
    return {
        "marker": look.marker,
        "color": look.colour,
        "markerfacecolor": "none",
        "markersize": 2.6,
        "markeredgewidth": 0.6,
    }


def _handle(look: Mark) -> Line2D:
    return Line2D([], [], linestyle="none", **_dot(look))


def _caption(points: Sequence[Scored], pairs: int) -> str:
    within = "Spearman's rank correlation" + (f" within a pair, mean over {pairs} pairs" if pairs > 1 else "")
    return (
        f"Each label-free validator's score against target test accuracy, at all {len(points):,} evaluations of the "
        f"runs that do not see target labels. ρ: {within}."
    )

"""Reliability diagrams: accuracy against confidence, with how many images have which confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from uda.evaluation.classify import Weights, classify
from uda.evaluation.figures.names import fit_titles
from uda.evaluation.figures.style import COLOURS, INK, MUTED, Drawing, Width, figure, styled
from uda.evaluation.series import checkpoint_titles
from uda.metrics.calibration import expected_calibration_error, reliability


@dataclass(frozen=True)
class Outcome:
    """A panel's title, and (N, K) logits with their (N,) true labels."""

    title: str
    logits: Tensor
    labels: Tensor


def outcomes(paths: Sequence[Path], weights: Weights, root: Path) -> list[Outcome]:
    """Classify the target test split with each checkpoint, titled by its method, and by its pair where they differ.

    Raises
    ------
    UserError
        For a file that is no checkpoint of ours, or missing data.
    """
    found = [classify(path, weights, root) for path in paths]
    titles = checkpoint_titles([one.loaded.config for one in found])
    return [Outcome(title, one.logits, one.labels) for title, one in zip(titles, found, strict=True)]


@styled
def reliability_diagram(found: Sequence[Outcome], bins: int = 15, width: Width | None = None) -> Drawing:
    """Draw one panel per model: bars of accuracy over confidence, their gap to the diagonal, and a histogram below.

    Parameters
    ----------
    found
        At least one.
    bins
        Of equal width in confidence.
    width
        Where it is not given: a column for one panel, a page for more.
    """
    width = width or ("column" if len(found) == 1 else "page")
    columns = 1 if width == "column" else min(len(found), 4 if len(found) % 4 == 0 else 3)
    rows = -(-len(found) // columns)
    made = figure(width, rows * {1: 3.3, 4: 2.3}.get(columns, 2.75))
    axes = made.subplots(
        2 * rows, columns, squeeze=False, sharex=True, sharey="row", gridspec_kw={"height_ratios": [4, 1] * rows}
    )
    for place in range(rows * columns):
        row, column = 2 * (place // columns), place % columns
        above, below = axes[row, column], axes[row + 1, column]
        if place < len(found):
            _diagram(above, below, found[place], bins)
            above.set_ylabel("accuracy, %" if column == 0 else "")
            below.set_ylabel("images, %" if column == 0 else "")
        else:
            made.delaxes(above)
            made.delaxes(below)
    made.align_ylabels()
    fit_titles(made, axes[::2].ravel()[: len(found)].tolist(), [one.title for one in found])
    return Drawing(
        made,
        "Accuracy among images of like confidence (blue) against that confidence; vermillion: the gap between the two. "
        f"Below: the share of images in each of {bins} bins. ECE: expected calibration error.",
    )


def _diagram(above: Axes, below: Axes, one: Outcome, bins: int) -> None:
    """Draw a panel's diagram and the histogram below it."""
    table = reliability(one.logits, one.labels, bins)
    filled = (table.counts > 0).numpy()
    left, step = table.edges[:-1].numpy()[filled], 1.0 / bins
    right, confidence = table.accuracy.numpy()[filled], table.confidence.numpy()[filled]
    above.bar(left, right, step, align="edge", color=COLOURS[0], alpha=0.45, linewidth=0)
    gap: dict[str, Any] = {"facecolor": "none", "edgecolor": COLOURS[1], "hatch": "/////", "linewidth": 0.4}
    above.bar(left, confidence - right, step, right, align="edge", **gap)
    above.hlines(right, left, left + step, color=COLOURS[0], linewidth=1.2)
    above.plot([0, 1], [0, 1], color=INK, linewidth=0.6, linestyle=(0, (4, 2)))
    error = expected_calibration_error(one.logits, one.labels, bins)
    above.text(0.04, 0.96, f"ECE {100 * error:.1f} %", va="top")
    above.set(xlim=(0, 1), ylim=(0, 1))
    share = table.counts.numpy()[filled] / table.counts.sum().item()
    below.bar(left, share, step, align="edge", color=MUTED, alpha=0.6, linewidth=0)
    below.set_ylim(0, 1)
    below.set_xlabel("confidence, %")
    ticks = np.linspace(0, 1, 6)
    for axis, places in ((above.yaxis, ticks), (below.xaxis, ticks), (below.yaxis, ticks[[0, 5]])):
        axis.set_ticks(places, [f"{100 * place:.0f}" for place in places])
    above.tick_params(labelbottom=False)
    below.tick_params(labelbottom=True)

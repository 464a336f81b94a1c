"""Reliability diagrams: accuracy against confidence, with how many images have which confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from uda.evaluation.figures.style import COLOURS, INK, MUTED, Drawing, Width, grid_of_panels, styled
from uda.metrics.calibration import expected_calibration_error, reliability


@dataclass(frozen=True)
class Outcome:
    """A panel's title, and (N, K) logits with their (N,) true labels."""

    title: str
    logits: Tensor
    labels: Tensor


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
    columns = 1 if width == "column" else 3
    figure, axes = grid_of_panels(len(found), width, columns, 2.9 if columns == 1 else 2.5)
    for place, (axis, one) in enumerate(zip(axes, found, strict=True)):
        _diagram(axis, one, bins, place % columns == 0)
    return Drawing(
        figure,
        "Accuracy among images of like confidence (blue) against that confidence; vermillion: the gap between the two. "
        f"Below: the share of images in each of {bins} bins. ECE: expected calibration error.",
    )


def _diagram(axis: Axes, one: Outcome, bins: int, first: bool) -> None:
    """Draw a panel; the histogram hangs below the diagram on the same axis of confidence."""
    table = reliability(one.logits, one.labels, bins)
    counts, confidence, right = (values.numpy() for values in (table.counts, table.confidence, table.accuracy))
    edges = table.edges.numpy()
    filled = counts > 0
    left, step = edges[:-1][filled], 1.0 / bins
    axis.bar(left, right[filled], step, align="edge", color=COLOURS[0], alpha=0.45, linewidth=0)
    gap = confidence[filled] - right[filled]
    axis.bar(
        left, gap, step, right[filled], align="edge", facecolor="none", edgecolor=COLOURS[1], hatch="////", linewidth=0.4
    )
    axis.hlines(right[filled], left, left + step, color=COLOURS[0], linewidth=1.2)
    axis.plot([0, 1], [0, 1], color=INK, linewidth=0.6, linestyle=(0, (4, 2)))
    error = expected_calibration_error(one.logits, one.labels, bins)
    axis.text(0.04, 0.96, f"ECE {100 * error:.1f} %", va="top")
    axis.set(xlim=(0, 1), ylim=(0, 1), title=one.title)
    axis.set_yticks(np.linspace(0, 1, 6), [f"{tick:.0f}" for tick in np.linspace(0, 100, 6)])
    axis.set_ylabel("accuracy, %" if first else "")
    below = axis.inset_axes((0, -0.3, 1, 0.26), sharex=axis)
    below.bar(left, 100.0 * counts[filled] / counts.sum(), step, align="edge", color=MUTED, alpha=0.6, linewidth=0)
    below.set_xticks(np.linspace(0, 1, 6), [f"{tick:.0f}" for tick in np.linspace(0, 100, 6)])
    below.set_ylim(0, 100)
    below.set_yticks([0, 100])
    below.set_xlabel("confidence, %")
    below.set_ylabel("images, %" if first else "")
    axis.tick_params(labelbottom=False)

"""Rows of images with their labels: translations, and the way between two images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from uda.evaluation.figures.names import fitted, fitted_apart
from uda.evaluation.figures.style import WIDTHS, Drawing, Width, figure, styled
from uda.evaluation.interpolate import Interpolation
from uda.evaluation.picture import streams
from uda.evaluation.translate import Translations

# inches
_LINE = 0.16
_EDGE = 0.03
_GAP = 0.02  # between images
_APART = 0.08  # between groups of strips
_ENLARGED = 8  # times, without smoothing: viewers blur what they enlarge themselves


@dataclass(frozen=True)
class Strip:
    """Images side by side; None leaves a place empty.

    Attributes
    ----------
    label
        Stands on the left.
    images
        Each (C, S, S) uint8.
    apart
        Whether it begins a new group.
    """

    label: str
    images: Sequence[Tensor | None]
    apart: bool = False


@dataclass(frozen=True)
class Panel:
    """Strips under a title; ``heads`` stand above the columns of that place."""

    title: str
    strips: Sequence[Strip]
    heads: dict[int, str] = field(default_factory=dict)


@styled
def translation_grid(panels: Sequence[Translations], compact: bool = False, width: Width = "page") -> Drawing:
    """Draw one panel per direction: input, reconstruction (where there is one), translation and cycle below each other.

    Parameters
    ----------
    panels
        From `uda.evaluation.translate`.
    compact
        Input and translation only.
    width
        Of the figure.
    """
    drawn = [
        Panel(
            "" if compact else f"{panel.origin} → {panel.destination}",
            [Strip(label, list(images)) for label, images in streams(panel, compact)],
        )
        for panel in panels
    ]
    ways = " and ".join(f"{panel.origin} → {panel.destination}" for panel in panels)
    reconstructed = all(panel.reconstructions is not None for panel in panels)
    rest = " with reconstructions, and translations there and back (cycle)" if reconstructed else ", and back (cycle)"
    said = f"Held-out images translated: {ways}{'' if compact else rest}. One of each class first."
    return Drawing(_draw(drawn, width), said)


@styled
def comparison_grid(named: Sequence[tuple[str, Translations]], width: Width = "page") -> Drawing:
    """Draw what several translators make of the same images: a row for each, translated on the left, and back again.

    Parameters
    ----------
    named
        At least one; all of the same images.
    width
        Of the figure.
    """
    first = named[0][1]
    count = len(first.inputs)
    strips = [Strip("input", [*first.inputs, None, *first.inputs])]
    strips += [
        Strip(name, [*panel.translations, None, *panel.cycles], apart=not n) for n, (name, panel) in enumerate(named)
    ]
    heads = {count // 2: f"→ {first.destination}", count + 1 + count // 2: f"→ {first.destination} → {first.origin}"}
    return Drawing(
        _draw([Panel("", strips, heads)], width),
        f"Held-out images of {first.origin}, one of each class first, translated to {first.destination} (left) and "
        "back again (right), a row for each translator.",
    )


@styled
def interpolation_grid(ways: Sequence[Interpolation], width: Width = "page") -> Drawing:
    """Draw each way as two rows: in its own domain between the two images, and below in the other domain.

    Parameters
    ----------
    ways
        At least one, from `uda.evaluation.interpolate`.
    width
        Of the figure.
    """
    panels = []
    for origin in dict.fromkeys(way.origin for way in ways):
        here = [way for way in ways if way.origin == origin]
        strips = [strip for way in here for strip in _way(way)]
        panels.append(Panel("", strips, {0: "input", len(here[0].own) + 1: "input"}))
    names = " and ".join(dict.fromkeys(way.origin for way in ways))
    return Drawing(
        _draw(panels, width),
        f"The straight way between the latent codes of two held-out images of {names}: drawn in their own domain, and "
        "below it in the other.",
    )


def _way(way: Interpolation) -> list[Strip]:
    return [
        Strip(way.origin, [way.first, *way.own, way.last], apart=True),
        Strip(f"→ {way.destination}", [None, *way.other, None]),
    ]


def _draw(panels: Sequence[Panel], width: Width) -> Figure:
    """Place the images from the top, all of one side; the height follows from the width. One unit is an inch."""
    panels = _shortened(panels)
    letters = max(len(line) for panel in panels for strip in panel.strips for line in strip.label.split("\n"))
    indent = 0.08 + 0.062 * letters  # what a label of 8 points takes
    side = (WIDTHS[width] - indent - _EDGE) / max(len(strip.images) for panel in panels for strip in panel.strips)
    heights = [_height(panel, side) for panel in panels]
    made = figure(width, 2 * _EDGE + sum(heights) + _APART * (len(panels) - 1))
    made.set_layout_engine("none")
    page = made.add_axes((0, 0, 1, 1), frameon=False)
    page.set(xlim=(0, made.get_figwidth()), ylim=(made.get_figheight(), 0), autoscale_on=False)
    page.set_axis_off()
    top = _EDGE
    for panel, height in zip(panels, heights, strict=True):
        _panel(page, panel, top, indent, side)
        top += height + _APART
    return made


def _shortened(panels: Sequence[Panel]) -> list[Panel]:
    """Return panels whose labels fit beside their strips."""
    labels = [strip.label for panel in panels for strip in panel.strips]
    short = dict(zip(labels, fitted_apart(labels, 18, 2), strict=True))
    return [
        replace(panel, strips=[replace(strip, label=short[strip.label]) for strip in panel.strips]) for panel in panels
    ]


def _height(panel: Panel, side: float) -> float:
    groups = sum(strip.apart for strip in panel.strips[1:])
    return _LINE * (bool(panel.title) + bool(panel.heads)) + len(panel.strips) * side + groups * _APART


def _panel(page: Axes, panel: Panel, top: float, indent: float, side: float) -> None:
    if panel.title:
        top += _LINE
        page.text(indent, top - 0.03, fitted(panel.title, 80))
    top += _LINE if panel.heads else 0.0
    for place, head in panel.heads.items():
        page.text(indent + (place + 0.5) * side, top - 0.03, head, ha="center", fontsize=7)
    for number, strip in enumerate(panel.strips):
        top += _APART if strip.apart and number else 0.0
        page.text(indent - 0.05, top + (side - _GAP) / 2, strip.label, ha="right", va="center")
        for place, image in enumerate(strip.images):
            if image is not None:
                left = indent + place * side
                box = (left, left + side - _GAP, top + side - _GAP, top)
                page.imshow(_pixels(image), interpolation="none", aspect="auto", extent=box)
        top += side


def _pixels(image: Tensor) -> NDArray[np.uint8]:
    """Return a (C, S, S) uint8 image as RGB, enlarged without smoothing."""
    pixels = image.expand(3, -1, -1).permute(1, 2, 0).numpy()
    return np.repeat(np.repeat(pixels, _ENLARGED, axis=0), _ENLARGED, axis=1)

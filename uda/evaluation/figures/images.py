"""Rows of images with their labels: translations, and the way between two images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from uda.evaluation.figures.style import WIDTHS, Drawing, Width, figure, styled
from uda.evaluation.interpolate import Interpolation
from uda.evaluation.translate import Translations

_LINE = 0.17  # inches: a line of text, with what parts it from the images
_EDGE = 0.03
_GAP = 0.02
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
    """Draw one panel per direction: input, reconstruction, translation and cycle below each other.

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
            [Strip(label, list(images), place == 0) for place, (label, images) in enumerate(_streams(panel, compact))],
        )
        for panel in panels
    ]
    ways = " and ".join(f"{panel.origin} → {panel.destination}" for panel in panels)
    rest = "" if compact else " with reconstructions, and translations there and back (cycle)"
    return Drawing(_draw(drawn, width), f"Held-out images translated: {ways}{rest}. Images are the first of each class.")


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
    strips, panels = [], []
    for origin in dict.fromkeys(way.origin for way in ways):
        here = [way for way in ways if way.origin == origin]
        strips = [strip for way in here for strip in _way(way)]
        panels.append(Panel("", strips, {0: "input", len(here[0].own) + 1: "input"}))
    names = " and ".join(dict.fromkeys(way.origin for way in ways))
    return Drawing(
        _draw(panels, width),
        f"The straight way between the latent codes of two held-out images of {names}: drawn in the images' own domain, "
        "and below it in the other.",
    )


def _streams(panel: Translations, compact: bool) -> list[tuple[str, Tensor]]:
    if compact:
        return [(panel.origin, panel.inputs), (f"→ {panel.destination}", panel.translations)]
    return [
        ("input", panel.inputs),
        ("reconstruction", panel.reconstructions),
        ("translation", panel.translations),
        ("cycle", panel.cycles),
    ]


def _way(way: Interpolation) -> list[Strip]:
    return [
        Strip(way.origin, [way.first, *way.own, way.last], apart=True),
        Strip(f"→ {way.destination}", [None, *way.other, None]),
    ]


def _draw(panels: Sequence[Panel], width: Width) -> Figure:
    """Place the images from the top, all of one side; heights follow from the width."""
    labels = [strip.label for panel in panels for strip in panel.strips]
    indent = 0.08 + 0.062 * max(map(len, labels))  # inches: what a label of 8 points takes
    columns = max(len(strip.images) for panel in panels for strip in panel.strips)
    side = (WIDTHS[width] - indent - 2 * _EDGE) / columns
    height = 2 * _EDGE + sum(_panel_height(panel, side) for panel in panels)
    made = figure(width, height)
    made.set_layout_engine("none")
    top = _EDGE
    for panel in panels:
        _panel(made, panel, top, indent, side)
        top += _panel_height(panel, side)
    return made


def _panel_height(panel: Panel, side: float) -> float:
    groups = sum(strip.apart for strip in panel.strips)
    return _LINE * (bool(panel.title) + bool(panel.heads)) + len(panel.strips) * side + groups * 3 * _GAP


def _panel(made: Figure, panel: Panel, top: float, indent: float, side: float) -> None:
    width, height = made.get_size_inches()

    def write(text: str, x: float, y: float, across: str, along: str, size: float = 8) -> None:
        made.text(x / width, 1 - y / height, text, ha=across, va=along, fontsize=size)

    if panel.title:
        write(panel.title, indent, top, "left", "top")
        top += _LINE
    for place, head in panel.heads.items():
        write(head, indent + (place + 0.5) * side, top, "center", "top", 7)
    top += _LINE if panel.heads else 0.0
    for strip in panel.strips:
        top += 3 * _GAP if strip.apart else 0.0
        write(strip.label, indent - 0.05, top + side / 2, "right", "center")
        for place, image in enumerate(strip.images):
            if image is not None:
                box = (indent + place * side, height - top - side, side - _GAP, side - _GAP)
                axis = made.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
                axis.imshow(_pixels(image), interpolation="none", aspect="auto")
                axis.set_axis_off()
        top += side


def _pixels(image: Tensor) -> NDArray[np.uint8]:
    """Return a (C, S, S) uint8 image as RGB, enlarged without smoothing."""
    pixels = image.expand(3, -1, -1).permute(1, 2, 0).numpy()
    return np.repeat(np.repeat(pixels, _ENLARGED, axis=0), _ENLARGED, axis=1)

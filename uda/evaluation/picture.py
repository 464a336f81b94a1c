"""Draw translated images as a labelled grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from torch import Tensor

from uda.errors import UserError
from uda.evaluation.drawing import GAP, LINE, MARGIN, paper, text_width, tile, write
from uda.evaluation.translate import Translations

if TYPE_CHECKING:
    from PIL.Image import Image

Arrangement = Literal["tall", "wide", "compact"]


def draw(panels: Sequence[Translations], arrangement: Arrangement) -> Image:
    """Draw one panel per direction.

    Parameters
    ----------
    panels
        From `uda.evaluation.translate`.
    arrangement
        ``"tall"``: an image per row, with columns input, reconstruction (where there is one), translation and cycle;
        panels side by side. ``"wide"``: an image per column, the same as rows; panels stacked.
        ``"compact"``: like ``"wide"`` with input and translation only.

    Returns
    -------
    Image
        RGB.
    """
    compact = arrangement == "compact"
    indent = max(text_width(label) for panel in panels for label, _ in streams(panel, compact))
    drawn = [_tall(panel) if arrangement == "tall" else _wide(panel, compact, indent) for panel in panels]
    if arrangement == "tall":
        size = sum(image.width for image in drawn), max(image.height for image in drawn)
    else:
        size = max(image.width for image in drawn), sum(image.height for image in drawn)
    canvas = paper(*size)
    x = y = 0
    for image in drawn:
        canvas.paste(image, (x, y))
        x, y = (x + image.width, y) if arrangement == "tall" else (x, y + image.height)
    return canvas


def check_name(path: Path) -> None:
    """Raise `UserError` for a file name that does not end in ``.png``."""
    if path.suffix.lower() != ".png":
        raise UserError(f"{path}: pictures are written as PNG; give a name that ends in .png")


def save(image: Image, path: Path) -> None:
    """Write a picture as PNG; its folder is made where it does not exist; the name is checked by `check_name`."""
    check_name(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, format="PNG")


def streams(panel: Translations, compact: bool) -> list[tuple[str, Tensor]]:
    """Return the label and the images of each stream that there is, in the order in which they are shown."""
    if compact:
        return [(panel.origin, panel.inputs), (f"→ {panel.destination}", panel.translations)]
    return [
        ("input", panel.inputs),
        *([("reconstruction", panel.reconstructions)] if panel.reconstructions is not None else []),
        ("translation", panel.translations),
        ("cycle", panel.cycles),
    ]


def _tall(panel: Translations) -> Image:
    """One image per row, a title and the labels of the streams above."""
    shown = streams(panel, compact=False)
    tiles = [[tile(image) for image in images] for _, images in shown]
    side = tiles[0][0].width
    step = max(side, *(text_width(label) for label, _ in shown)) + 2 * GAP
    top = MARGIN + 2 * LINE
    canvas = paper(2 * MARGIN + len(shown) * step, top + len(tiles[0]) * (side + GAP) + MARGIN)
    write(canvas, f"{panel.origin} → {panel.destination}", MARGIN + len(shown) * step // 2, MARGIN, "ma")
    for column, (label, _) in enumerate(shown):
        centre = MARGIN + column * step + step // 2
        write(canvas, label, centre, MARGIN + LINE, "ma")
        for row, image in enumerate(tiles[column]):
            canvas.paste(image, (centre - side // 2, top + row * (side + GAP)))
    return canvas


def _wide(panel: Translations, compact: bool, indent: int) -> Image:
    """One image per column, labels on the left within the indent; a title above unless the labels say it."""
    shown = streams(panel, compact)
    tiles = [[tile(image) for image in images] for _, images in shown]
    side = tiles[0][0].width
    left = MARGIN + indent + 2 * GAP
    top = MARGIN + (0 if compact else LINE)
    canvas = paper(left + len(tiles[0]) * (side + GAP) + MARGIN, top + len(shown) * (side + GAP) + MARGIN)
    if not compact:
        write(canvas, f"{panel.origin} → {panel.destination}", MARGIN, MARGIN - GAP, "la")
    for row, (label, _) in enumerate(shown):
        y = top + row * (side + GAP)
        write(canvas, label, left - 2 * GAP, y + side // 2, "rm")
        for column, image in enumerate(tiles[row]):
            canvas.paste(image, (left + column * (side + GAP), y))
    return canvas

"""Draw translated images as a labelled grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from torch import Tensor

from uda.errors import UserError
from uda.evaluation.translate import Translations

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

Arrangement = Literal["tall", "wide", "compact"]

_TILE = 56  # a tile is enlarged by a whole factor to about this many pixels
_GAP = 4
_MARGIN = 14
_FONT_SIZE = 14
_LINE = 22
_INK = (40, 40, 40)
_PAPER = (255, 255, 255)


def draw(panels: Sequence[Translations], arrangement: Arrangement) -> Image:
    """Draw one panel per direction.

    Parameters
    ----------
    panels
        From `uda.evaluation.translate`.
    arrangement
        ``"tall"``: an image per row, with columns input, reconstruction, translation and cycle; panels side by side.
        ``"wide"``: an image per column, the same four as rows; panels stacked.
        ``"compact"``: like ``"wide"`` with input and translation only.

    Returns
    -------
    Image
        RGB.
    """
    from PIL import Image

    compact = arrangement == "compact"
    indent = max(_text_width(label) for panel in panels for label, _ in _streams(panel, compact))
    drawn = [_tall(panel) if arrangement == "tall" else _wide(panel, compact, indent) for panel in panels]
    if arrangement == "tall":
        size = sum(image.width for image in drawn), max(image.height for image in drawn)
    else:
        size = max(image.width for image in drawn), sum(image.height for image in drawn)
    canvas = Image.new("RGB", size, _PAPER)
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


def _streams(panel: Translations, compact: bool) -> list[tuple[str, Tensor]]:
    """Return the label and the images of each stream."""
    if compact:
        return [(panel.origin, panel.inputs), (f"→ {panel.destination}", panel.translations)]
    return [
        ("input", panel.inputs),
        ("reconstruction", panel.reconstructions),
        ("translation", panel.translations),
        ("cycle", panel.cycles),
    ]


def _tall(panel: Translations) -> Image:
    """One image per row, a title and the labels of the streams above."""
    streams = _streams(panel, compact=False)
    tiles = [[_tile(image) for image in images] for _, images in streams]
    side = tiles[0][0].width
    step = max(side, *(_text_width(label) for label, _ in streams)) + 2 * _GAP
    top = _MARGIN + 2 * _LINE
    canvas = _paper(2 * _MARGIN + len(streams) * step, top + len(tiles[0]) * (side + _GAP) + _MARGIN)
    _write(canvas, f"{panel.origin} → {panel.destination}", _MARGIN + len(streams) * step // 2, _MARGIN, "ma")
    for column, (label, _) in enumerate(streams):
        centre = _MARGIN + column * step + step // 2
        _write(canvas, label, centre, _MARGIN + _LINE, "ma")
        for row, tile in enumerate(tiles[column]):
            canvas.paste(tile, (centre - side // 2, top + row * (side + _GAP)))
    return canvas


def _wide(panel: Translations, compact: bool, indent: int) -> Image:
    """One image per column, labels on the left within the indent; a title above unless the labels say it."""
    streams = _streams(panel, compact)
    tiles = [[_tile(image) for image in images] for _, images in streams]
    side = tiles[0][0].width
    left = _MARGIN + indent + 2 * _GAP
    top = _MARGIN + (0 if compact else _LINE)
    canvas = _paper(left + len(tiles[0]) * (side + _GAP) + _MARGIN, top + len(streams) * (side + _GAP) + _MARGIN)
    if not compact:
        _write(canvas, f"{panel.origin} → {panel.destination}", _MARGIN, _MARGIN - _GAP, "la")
    for row, (label, _) in enumerate(streams):
        y = top + row * (side + _GAP)
        _write(canvas, label, left - 2 * _GAP, y + side // 2, "rm")
        for column, tile in enumerate(tiles[row]):
            canvas.paste(tile, (left + column * (side + _GAP), y))
    return canvas


def _tile(image: Tensor) -> Image:
    """Enlarge a (C, S, S) uint8 image without smoothing, as RGB."""
    from PIL import Image

    pixels = image.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()
    factor = max(1, round(_TILE / pixels.shape[0]))
    return Image.fromarray(np.repeat(np.repeat(pixels, factor, axis=0), factor, axis=1))


def _paper(width: int, height: int) -> Image:
    from PIL import Image

    return Image.new("RGB", (width, height), _PAPER)


def _write(canvas: Image, text: str, x: int, y: int, anchor: str) -> None:
    from PIL import ImageDraw

    ImageDraw.Draw(canvas).text((x, y), text, fill=_INK, font=_font(), anchor=anchor)


def _text_width(text: str) -> int:
    return round(_font().getlength(text)) + 1


def _font() -> FreeTypeFont:
    """Return the font that comes with matplotlib: the same on every machine, and it has arrows."""
    from matplotlib import font_manager
    from PIL import ImageFont

    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), _FONT_SIZE)

"""Pieces that labelled grids of images are drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

_TILE = 56  # a tile is enlarged by a whole factor to about this many pixels
GAP = 4
MARGIN = 14
_FONT_SIZE = 14
LINE = 22
_INK = (40, 40, 40)
_PAPER = (255, 255, 255)


def tile(image: Tensor) -> Image:
    """Enlarge a (C, S, S) uint8 image without smoothing, as RGB."""
    from PIL import Image

    pixels = image.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()
    factor = max(1, round(_TILE / pixels.shape[0]))
    return Image.fromarray(np.repeat(np.repeat(pixels, factor, axis=0), factor, axis=1))


def paper(width: int, height: int) -> Image:
    """Return an empty picture."""
    from PIL import Image

    return Image.new("RGB", (width, height), _PAPER)


def write(canvas: Image, text: str, x: int, y: int, anchor: str) -> None:
    """Write a line of text; the anchor is Pillow's, e.g. ``"ma"``: middle, at the ascender."""
    from PIL import ImageDraw

    ImageDraw.Draw(canvas).text((x, y), text, fill=_INK, font=_font(), anchor=anchor)


def text_width(text: str) -> int:
    """Return the pixels that a text takes at the most."""
    return round(_font().getlength(text)) + 1


def _font() -> FreeTypeFont:
    """Return the font that comes with matplotlib: the same on every machine, and it has arrows."""
    from matplotlib import font_manager
    from PIL import ImageFont

    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), _FONT_SIZE)

"""Domains that need no download: scikit-learn's scanned digits, and digits drawn from matplotlib's fonts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from uda.data.cache import cached
from uda.data.digits import DIGITS
from uda.data.domains import Domain, FileRecord, Split, register
from uda.errors import UserError

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

Canvas = NDArray[np.float64]

# optdigits


def load_optdigits(root: Path, split: str) -> Split:
    """Read scikit-learn's 1,797 scanned digits: 8x8 grey, its values 0..16 as round(255 v / 16).

    The first 1,200 in the file's order are ``train``, the last 597 ``test``: neighbours are mostly one writer's, so a
    cut keeps writers apart better than a draw.
    """
    from sklearn.datasets import load_digits

    content = load_digits()
    bounds = slice(0, 1_200) if split == "train" else slice(1_200, None)
    pixels = np.rint(content.images[bounds] * (255 / 16)).astype(np.uint8)
    images = torch.from_numpy(pixels)[:, None]
    labels = torch.from_numpy(content.target[bounds].astype(np.int64))
    return Split(images, labels, DIGITS, (pixels_record(f"optdigits/{split}", images),))


def pixels_record(name: str, images: Tensor) -> FileRecord:
    """Return the record of images that come from no file in the data root."""
    return FileRecord(name, f"md5:{hashlib.md5(images.numpy().tobytes()).hexdigest()}", verified=False)


# rendered

RENDERED_SIZE = 32
RENDERED_COUNT = {"train": 6_000, "test": 2_000}
RENDERED_SEED = {"train": 0, "test": 1}
RENDERED_VERSION = 1  # raise it when the drawing below changes: it is part of the cache's key

# Of the fonts that matplotlib ships, those whose digits are digits: cmex10, cmsy10, cmmi10 (old-style figures),
# STIXSiz*, STIXNonUni*, LastResort* and the two Display fonts are symbols or lack them.
FONTS = (
    *(f"DejaVu{face}" for face in ("Sans", "Sans-Bold", "Sans-Oblique", "Sans-BoldOblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-Italic", "-BoldItalic")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "Italic", "BolIta")),
    *("cmb10", "cmr10", "cmss10", "cmti10", "cmtt10"),
)


def load_rendered(root: Path, split: str) -> Split:
    """Draw ``rendered``, or read it from the cache: 6,000 digits to train on, 2,000 from another seed to test on."""
    content = cached_digits(root, split, RENDERED_COUNT[split], RENDERED_SEED[split])
    images = content["images"]
    return Split(images, content["labels"], DIGITS, (pixels_record(f"rendered/{split}", images),))


def cached_digits(root: Path, name: str, count: int, seed: int) -> dict[str, Any]:
    """Return what `render_digits` draws, kept by everything that its pixels depend on."""
    import matplotlib
    from PIL import features

    libraries = (np.__version__, matplotlib.__version__, features.version("pil"), features.version("freetype2"))
    key = hashlib.md5(repr((RENDERED_VERSION, count, seed, libraries)).encode()).hexdigest()

    def build() -> dict[str, Any]:
        images, labels = render_digits(count, seed)
        return {"images": images, "labels": labels}

    return cached(root, f"rendered-{name}", key, build)


def render_digits(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw digits in the fonts of `FONTS` on varied grounds, at varied places, sizes and angles.

    Parameters
    ----------
    count
        How many; each digit occurs equally often, to within one.
    seed
        Same seed, same pixels (with the same FreeType and Pillow).

    Returns
    -------
    images, labels
        (count, 1, 32, 32) uint8 and (count,) int64, in a random order.

    Raises
    ------
    UserError
        If matplotlib does not ship one of the fonts.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 10)
    fonts = open_fonts()
    images = np.empty((count, 1, RENDERED_SIZE, RENDERED_SIZE), dtype=np.uint8)
    for index, digit in enumerate(labels):
        images[index, 0] = draw_digit(str(digit), fonts[rng.integers(len(fonts))], rng)
    return torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64))


def open_fonts() -> list[FreeTypeFont]:
    """Open the fonts at four times the height of an image: digits are drawn large and made small, hence smooth."""
    import matplotlib
    from PIL import ImageFont

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    missing = [name for name in FONTS if not (folder / f"{name}.ttf").is_file()]
    if missing:
        raise UserError(f"{folder} lacks {', '.join(missing)}: domain `rendered` needs the fonts that matplotlib ships")
    return [ImageFont.truetype(str(folder / f"{name}.ttf"), 4 * RENDERED_SIZE) for name in FONTS]


def draw_digit(digit: str, font: FreeTypeFont, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one digit on one ground: (32, 32) uint8, stroke and ground at least 90 grey levels apart on average."""
    coverage = place_digit(digit, font, rng)
    bright, dark = rng.uniform(150, 255), rng.uniform(0, 60)
    stroke, level = (bright, dark) if rng.random() < 0.5 else (dark, bright)
    ground = GROUNDS[rng.integers(len(GROUNDS))](level, rng)
    blended = coverage * stroke + (1 - coverage) * ground
    noise = rng.normal(0, rng.uniform(0, 8), blended.shape)
    return np.clip(np.rint(blended + noise), 0, 255).astype(np.uint8)


def place_digit(digit: str, font: FreeTypeFont, rng: np.random.Generator) -> Canvas:
    """Return how much of each pixel a digit covers, (32, 32) in 0..1: turned, sized and moved at random, whole."""
    from PIL import Image, ImageDraw

    left, top, right, bottom = (int(edge) for edge in font.getbbox(digit))
    glyph = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(glyph).text((-left, -top), digit, fill=255, font=font)
    glyph = glyph.rotate(rng.uniform(-15, 15), Image.Resampling.BICUBIC, expand=True)
    height = rng.uniform(0.55, 0.9) * RENDERED_SIZE
    stretch = rng.uniform(0.85, 1.2)
    width = min(glyph.width * height / glyph.height * stretch, RENDERED_SIZE - 2)
    size = max(1, round(width)), max(1, round(height))
    glyph = glyph.resize(size, Image.Resampling.LANCZOS)
    canvas = Image.new("L", (RENDERED_SIZE, RENDERED_SIZE))
    free = RENDERED_SIZE - glyph.width, RENDERED_SIZE - glyph.height
    # Anywhere near the middle: a quarter of the free space to either side of it.
    place = tuple(round(space * rng.uniform(0.25, 0.75)) for space in free)
    canvas.paste(glyph, (place[0], place[1]))
    coverage: Canvas = np.asarray(canvas, dtype=np.float64) / 255
    return coverage


def solid(level: float, rng: np.random.Generator) -> Canvas:
    """Return an even ground of one grey level."""
    return np.full((RENDERED_SIZE, RENDERED_SIZE), level)


def gradient(level: float, rng: np.random.Generator) -> Canvas:
    """Return a ground that rises evenly in a random direction, by up to 60 grey levels to either side of ``level``."""
    angle, slope = rng.uniform(0, 2 * np.pi), rng.uniform(20, 60)
    ramp = np.linspace(-1, 1, RENDERED_SIZE)
    rise: Canvas = (np.cos(angle) * ramp[None, :] + np.sin(angle) * ramp[:, None]) / np.sqrt(2)
    return level + slope * rise


def cloudy(level: float, rng: np.random.Generator) -> Canvas:
    """Return a ground of smooth noise: a coarse random grid, enlarged."""
    from PIL import Image

    coarse = rng.normal(0, rng.uniform(10, 30), (6, 6)).astype(np.float32)
    smooth = Image.fromarray(coarse).resize((RENDERED_SIZE, RENDERED_SIZE), Image.Resampling.BICUBIC)
    clouds: Canvas = np.asarray(smooth, dtype=np.float64)
    return level + clouds


def grainy(level: float, rng: np.random.Generator) -> Canvas:
    """Return a ground of independent noise in each pixel."""
    return level + rng.normal(0, rng.uniform(10, 30), (RENDERED_SIZE, RENDERED_SIZE))


GROUNDS: tuple[Callable[[float, np.random.Generator], Canvas], ...] = (solid, gradient, cloudy, grainy)

register(
    Domain(
        name="optdigits",
        description="scikit-learn's scanned digits, of UCI's optical recognition set; built in",
        splits=("train", "test"),
        channels=1,
        size=8,
        load=load_optdigits,
    )
)
register(
    Domain(
        name="rendered",
        description="digits drawn from matplotlib's fonts on varied grounds, both polarities; generated",
        splits=("train", "test"),
        channels=1,
        size=RENDERED_SIZE,
        load=load_rendered,
    )
)

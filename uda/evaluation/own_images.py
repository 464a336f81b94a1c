"""A user's own image files, in the size and channels of a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from torch import Tensor

from uda.data.folder import read_image
from uda.data.shaping import fit_channels, resize
from uda.errors import UserError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def find_images(paths: Iterable[Path]) -> list[Path]:
    """Return image files, each once: those that are given, and all in folders that are, at any depth, by name.

    Raises
    ------
    UserError
        For a file of another ending than `ENDINGS`, and for a folder without images.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_file() and path.suffix.lower() not in ENDINGS:
            raise UserError(f"{path}: its ending is none of images that are read ({', '.join(ENDINGS)})")
        inside = [path] if path.is_file() else sorted(each for each in path.rglob("*") if _is_image(each, path))
        if not inside:
            raise UserError(f"{path}: no folder with images in it ({', '.join(ENDINGS)})")
        found.update(dict.fromkeys(inside))
    return list(found)


def read_fitted(path: Path, shape: Sequence[int]) -> Tensor:
    """Read an image file as (C, S, S) uint8, grey or RGB, stretched to S x S; `UserError` where it cannot be read."""
    channels, size, _ = shape
    return fit_channels(resize(read_image(path)[None], size), channels)[0]


def _is_image(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in ENDINGS and not hidden and path.is_file()

"""A user's own images, in the size and channels of a model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from torch import Tensor

from uda.data.domains import find_domain, load_split
from uda.data.folder import EXTENSIONS, decode_images, read_here, read_image
from uda.data.shaping import fit_channels, resize
from uda.errors import UserError


def find_images(paths: Iterable[Path]) -> list[Path]:
    """Return image files, each once: those that are given, and all in folders that are, at any depth, by name.

    Raises
    ------
    UserError
        For what does not exist, a file that a ``folder:`` domain would not read, and a folder without images.
    """
    found: dict[Path, None] = {}
    for path in paths:
        inside = _images_in(path) if path.is_dir() else [_image_at(path)]
        found.update(dict.fromkeys(inside))
    return list(found)


def read_files(files: Sequence[Path], shape: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Read image files as a ``folder:`` domain reads those of a split.

    What a file becomes depends on those beside it: where sizes differ, and where one is in colour.

    Parameters
    ----------
    files
        At least one.
    shape
        (C, S, S) of the model.

    Returns
    -------
    images : Tensor
        (N, C, S, S) uint8, in the order that the domain has them in: that of their content.
    places : Tensor
        (N,) int64, where in ``files`` each is.
    """
    decoded = decode_images([(path, place) for place, path in enumerate(files)])
    return _fitted(decoded["images"], shape), decoded["labels"]


def read_arrays(name: str, shape: Sequence[int]) -> Tensor:
    """Read the test images of a domain ``npz:PATH`` as (N, C, S, S) uint8; labels are not looked at."""
    return _fitted(load_split(find_domain(name), "test", Path()).images, shape)


def read_fitted(path: Path, shape: Sequence[int]) -> Tensor:
    """Read an image file as (C, S, S) uint8, grey or RGB, stretched to S x S; `UserError` where it cannot be read."""
    return _fitted(read_image(path)[None], shape)[0]


def _fitted(images: Tensor, shape: Sequence[int]) -> Tensor:
    channels, size, _ = shape
    return fit_channels(resize(images, size), channels)


def _image_at(path: Path) -> Path:
    if not path.exists():
        raise UserError(f"{path} does not exist: no image file, and no folder with images in it")
    if path.suffix.lower() == ".npz":
        raise UserError(f"{path}: arrays are given as npz:{path}")
    if not read_here([path]):
        raise UserError(f"{path}: its ending is none of images that are read ({', '.join(EXTENSIONS)})")
    return path


def _images_in(folder: Path) -> list[Path]:
    if images := read_here(sorted(_visible_files(folder))):
        return images
    raise UserError(f"{folder}: no folder with images in it ({', '.join(EXTENSIONS)})")


def _visible_files(folder: Path) -> Iterator[Path]:
    """Yield all files in a folder, at any depth and behind links, broken ones too: `read_image` names these."""
    seen = set()
    for place, inner, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        inner[:] = [] if real in seen else [name for name in inner if not name.startswith(".")]
        if real not in seen:
            yield from (Path(place, name) for name in files if not name.startswith("."))
        seen.add(real)

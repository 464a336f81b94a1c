"""Parsers of the formats that digit data sets are released in. Each gives arrays, or one sentence on what is wrong."""

from __future__ import annotations

import bz2
import gzip
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uda.data.files import parsing
from uda.data.pickled import read_pickled_arrays
from uda.errors import UserError

Bytes = NDArray[np.uint8]
Labels = NDArray[np.int64]

IDX_UNSIGNED_BYTE = 0x08
USPS_PIXELS = 256


def read_idx(path: Path, dimensions: int) -> tuple[Bytes, str]:
    """Read an idx file of unsigned bytes, packed (``.gz``) or not.

    Parameters
    ----------
    path
        The file.
    dimensions
        How many dimensions it must have: 3 for images, 1 for labels.

    Returns
    -------
    array, md5
        The bytes in the shape that the header gives, and the MD5 of the unpacked content.

    Raises
    ------
    UserError
        If the file is truncated, has bytes left over, or is not such an idx file.
    """
    form = f"idx file of {dimensions} dimension{'s' * (dimensions > 1)}"
    with parsing(path, form):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    header = 4 * (dimensions + 1)
    if len(content) < header or content[:4] != bytes([0, 0, IDX_UNSIGNED_BYTE, dimensions]):
        raise UserError(f"{path} is not a readable {form}: it begins with {content[:4].hex() or 'nothing'}")
    shape = [int(size) for size in np.frombuffer(content[4:header], dtype=">u4")]
    expected = header + int(np.prod(shape, dtype=np.int64))
    if len(content) != expected:
        raise UserError(
            f"{path} is not a readable {form}: its header promises {expected:,} bytes, it holds {len(content):,}"
        )
    array = np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)
    return array.copy(), hashlib.md5(content).hexdigest()


def read_libsvm_usps(path: Path) -> tuple[Bytes, Labels]:
    """Read USPS in LIBSVM form: one line per digit, ``label 1:value … 256:value``, packed with bzip2.

    Values -1..1 become 0..255 by ``(v + 1) / 2 * 255``, cut off, in float32, which gives the pixels of
    ``torchvision.datasets.USPS``. Labels 1..10 become 0..9.

    Returns
    -------
    images, labels
        (N, 16, 16) uint8 and (N,) int64.
    """
    form = "bzip2-packed LIBSVM file"
    with parsing(path, form):
        text = bz2.decompress(path.read_bytes())
        # One flat list of numbers is parsed at once: per line a label, then index and value 256 times.
        numbers = np.array(text.replace(b":", b" ").split(), dtype=np.float32)
    width = 1 + 2 * USPS_PIXELS
    if not numbers.size or numbers.size % width or text.count(b":") * width != numbers.size * USPS_PIXELS:
        raise UserError(
            f"{path} is not a readable {form}: not every line has a label and {USPS_PIXELS} index:value pairs"
        )
    rows = numbers.reshape(-1, width)
    if (rows[:, 1::2] != np.arange(1, USPS_PIXELS + 1)).any():
        raise UserError(f"{path} is not a readable {form}: indices do not run from 1 to {USPS_PIXELS} on every line")
    values = rows[:, 2::2]
    if not (np.abs(values) <= 1).all():
        raise UserError(f"{path} holds values outside -1..1: not USPS in LIBSVM form")
    images = ((values + 1) / 2 * 255).astype(np.uint8).reshape(-1, 16, 16)
    return images, digit_labels(path, rows[:, 0] - 1)


def read_hdf5_usps(path: Path, split: str) -> tuple[Bytes, Labels]:
    """Read one split of USPS in HDF5 form: ``SPLIT/data`` (N, 256) in 0..1 and ``SPLIT/target`` (N,).

    Returns
    -------
    images, labels
        (N, 16, 16) uint8 = round(255 v), and (N,) int64.
    """
    import h5py

    with parsing(path, "HDF5 file"), h5py.File(path, "r") as file:
        for key in (f"{split}/data", f"{split}/target"):
            if key not in file:
                raise UserError(f"{path} has no {key!r}: not USPS in HDF5 form")
        values = np.asarray(file[f"{split}/data"], dtype=np.float32)
        labels = np.asarray(file[f"{split}/target"])
    if values.ndim != 2 or values.shape[1] != USPS_PIXELS:
        raise UserError(f"{path}: {split}/data is of shape {values.shape}, not (N, {USPS_PIXELS})")
    images = grey_levels(values, f"{path}: {split}/data holds").reshape(-1, 16, 16)
    return images, digit_labels(path, labels, len(images))


def read_pickled_usps(path: Path, split: str) -> tuple[Bytes, Labels]:
    """Read one split of USPS as CoGAN's code has it: a gzip-packed pickle of images and labels, of both splits.

    Returns
    -------
    images, labels
        (N, 28, 28) uint8 = round(255 v), and (N,) int64.
    """
    form = "gzip-packed pickle of USPS"
    with parsing(path, form):
        content = read_pickled_arrays(gzip.decompress(path.read_bytes()))
        values, labels = (np.asarray(part) for part in content[("train", "test").index(split)])
    if values.dtype.kind != "f" or values.shape[1:] != (1, 28, 28):
        raise UserError(f"{path}: the {split} images are {values.dtype} of shape {values.shape}, not (N, 1, 28, 28)")
    images = grey_levels(values[:, 0], f"{path}: the {split} images hold")
    return images, digit_labels(path, labels.reshape(-1), len(images))


def read_mat_digits(path: Path) -> tuple[Bytes, Labels]:
    """Read digits in SVHN's "Format 2": MATLAB ``X`` uint8 (32, 32, 3, N) and ``y`` (N, 1), digit 0 stored as 10.

    Returns
    -------
    images, labels
        (N, 3, 32, 32) uint8 and (N,) int64.
    """
    from scipy.io import loadmat

    with parsing(path, "MATLAB file"):
        content = loadmat(path, variable_names=("X", "y"))
    if "X" not in content or "y" not in content:
        raise UserError(f"{path} is not a digits file: it should hold X and y")
    pixels, labels = np.asarray(content["X"]), np.asarray(content["y"]).reshape(-1)
    if pixels.ndim == 3:  # MATLAB drops a last dimension of one
        pixels = pixels[..., None]
    if pixels.dtype != np.uint8 or pixels.shape[:3] != (32, 32, 3):
        raise UserError(f"{path}: X is {pixels.dtype} of shape {pixels.shape}, not uint8 (32, 32, 3, N)")
    images = np.ascontiguousarray(pixels.transpose(3, 2, 0, 1))
    labels = np.where(labels == 10, 0, labels)
    return images, digit_labels(path, labels, len(images))


def grey_levels(values: NDArray[Any], holder: str) -> Bytes:
    """Return values of 0..1 as the nearest of 0..255; `UserError` for others, which begins with who holds them."""
    if not ((values >= 0) & (values <= 1)).all():
        raise UserError(f"{holder} values outside 0..1")
    levels: Bytes = np.rint(255 * values).astype(np.uint8)
    return levels


def digit_labels(path: Path, values: NDArray[np.generic], count: int | None = None) -> Labels:
    """Return labels as (N,) int64 after checking that they are digits, and ``count`` many where that is given."""
    with parsing(path, "labels file"):
        labels = np.asarray(values).astype(np.int64)
        exact = bool((labels == values).all())
    if labels.ndim != 1 or not exact or ((labels < 0) | (labels > 9)).any():
        raise UserError(f"{path} holds labels that are not the digits 0 to 9")
    if count is not None and len(labels) != count:
        raise UserError(f"{path} holds {len(labels):,} labels for {count:,} images")
    return labels

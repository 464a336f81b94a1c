"""Which images were classified right, as a short text that fits in a table of runs."""

from __future__ import annotations

import base64
import binascii
import zlib

import numpy as np
import torch
from torch import Tensor


def pack(correct: Tensor) -> str:
    """Write which images were classified right: base64 of zlib of one bit for each, the first image's the highest.

    Parameters
    ----------
    correct
        (N,) bool, N at least 1.

    Returns
    -------
    str
        Never empty: the empty text stands for "not known". Some 200 characters for 2,000 images at 95 %.
    """
    if correct.ndim != 1 or correct.dtype != torch.bool or len(correct) == 0:
        raise ValueError(f"correct must be (N,) bool with N > 0, not {tuple(correct.shape)} {correct.dtype}")
    bits = np.packbits(correct.numpy(force=True))
    return base64.b64encode(zlib.compress(bits.tobytes(), 9)).decode("ascii")


def unpack(text: str, n: int) -> Tensor:
    """Read what `pack` wrote.

    Parameters
    ----------
    text
        From `pack`; not empty.
    n
        Number of images.

    Returns
    -------
    Tensor
        (n,) bool.

    Raises
    ------
    ValueError
        For a text that `pack` did not write, or that speaks of another number of images.
    """
    try:
        packed = zlib.decompress(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error, zlib.error) as error:
        raise ValueError(f"is no packed list of {n} bits ({error})") from error
    bits = np.unpackbits(np.frombuffer(packed, np.uint8))
    if n < 1 or len(packed) != (n + 7) // 8 or bits[n:].any():
        raise ValueError(f"holds {len(bits)} bits with their padding, not those of {n} images")
    return torch.from_numpy(bits[:n].astype(bool))

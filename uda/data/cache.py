"""What is slow to decode or draw is kept under ``ROOT/.cache``, named by the checksum of what it was made from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from uda.atomic import write_tensors

CACHE_FOLDER = ".cache"


def cached(root: Path, name: str, key: str, build: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what ``build`` gives, from the cache where it is there.

    Parameters
    ----------
    root
        The data root; its ``.cache`` is made where that is possible and done without where it is not.
    name
        For people: the first part of the file name.
    key
        Checksum of everything that the content depends on; another key is another file.
    build
        Makes the content: tensors, strings, numbers, lists of them (what ``weights_only=True`` loads).

    Notes
    -----
    A file is written beside its place and moved there, so that a reader sees all of it or nothing. One that cannot be
    read (a disk error, another version) is made anew.
    """
    path = root / CACHE_FOLDER / f"{name}-{key}.pt"
    if path.is_file():
        # A damaged archive makes torch raise nearly anything; whatever it is, the content can be made again.
        with contextlib.suppress(Exception):
            content = torch.load(path, map_location="cpu", weights_only=True)
            if isinstance(content, dict):
                return content
    content = build()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tensors(path, content)
    return content

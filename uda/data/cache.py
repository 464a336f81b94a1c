"""What is slow to decode or draw is kept under ``ROOT/.cache``, named by the checksum of what it was made from."""

from __future__ import annotations

import contextlib
import io
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

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


def write_tensors(path: Path, content: Any) -> None:
    """Write with `torch.save`, complete or not at all; `OSError` where that cannot be done."""
    buffer = io.BytesIO()
    torch.save(content, buffer)  # to memory first: of a full disk it says a RuntimeError, and not which file
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        temporary.write_bytes(buffer.getbuffer())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

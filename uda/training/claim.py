"""Claims: which process may write in a folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_NAME = ".lock"


@contextmanager
def claim(folder: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold a folder for this process: two that share the work never do the same thing.

    The claim is a lock that the operating system keeps on the file ``.lock`` in the folder, so it ends with the
    process, however that ends, and a leftover file claims nothing. Where nothing else was put into the folder it is
    taken away again.

    Parameters
    ----------
    folder
        Is made where it does not exist.
    wait
        Whether to wait for another process that holds it.

    Yields
    ------
    bool
        Whether the folder is ours; always so with ``wait``.
    """
    file = _lock(folder, wait)
    if file is None:
        yield False
        return
    with file:
        try:
            yield True
        finally:
            _take_away_if_unused(folder)


def _lock(folder: Path, wait: bool) -> IO[str] | None:
    """Open the lock of a folder and hold it; None where another process does."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            file = (folder / _NAME).open("a")
        except FileNotFoundError:
            continue  # the folder was taken away in between
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # it was taken away by whoever held it before


def _take_away_if_unused(folder: Path) -> None:
    with suppress(OSError):
        if [each.name for each in folder.iterdir()] == [_NAME]:
            (folder / _NAME).unlink()
            folder.rmdir()

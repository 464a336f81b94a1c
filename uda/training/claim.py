"""Claims: which process may write in a folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def claim(folder: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold a folder for this process: two that share the work never do the same thing.

    The claim is a lock that the operating system keeps on the file ``.lock`` in the folder, so it ends with the
    process, however that ends, and a leftover file claims nothing.

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
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True

"""Writes checkpoints behind the training's back."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from uda.atomic import write_tensors


class Saver:
    """A thread that writes one file at a time, each whole or not at all; leaving the context waits for the last.

    What could not be written is raised by the next `save`, or on leaving.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")
        self._last: Future[None] | None = None

    def save(self, path: Path, values: Any) -> None:
        """Write values, which nobody may change any more, to a path; waits for the file before it."""
        self.flush()
        self._last = self._thread.submit(write_tensors, path, values)

    def flush(self) -> None:
        """Wait until everything is written."""
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.flush()
        finally:
            self._thread.shutdown()

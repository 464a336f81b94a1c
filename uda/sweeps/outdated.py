"""Finished runs on data that have changed since: what they found is of images that are no longer there."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from uda.data.domains import FileRecord, is_own
from uda.data.protocols import load_task
from uda.errors import UserError
from uda.training.config import RunConfig
from uda.training.record import changed_files


class DataNow:
    """The files of pairs as they are now; those of a pair are read once, however many runs are compared with them.

    Parameters
    ----------
    root
        The data root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[tuple[str, str, str], tuple[FileRecord, ...]] = {}

    def outdated(self, config: RunConfig, folder: Path) -> str:
        """Say which file has changed since a finished run read it; nothing where none has, or that cannot be told.

        Only a user's own domains are looked at: the files of others are those of their releases.

        Parameters
        ----------
        config, folder
            The run, and where it is.
        """
        if not (is_own(config.source) or is_own(config.target)):
            return ""
        with suppress(UserError, OSError, ValueError):
            about = json.loads((folder / "run.json").read_bytes())
            changed = changed_files(about, self._files_of(config.protocol, config.source, config.target))
            if changed:
                return f"on other data: {changed[0]} has changed since; move {folder} away to train anew"
        return ""

    def _files_of(self, protocol: str, source: str, target: str) -> tuple[FileRecord, ...]:
        key = protocol, source, target
        if key not in self._files:
            self._files[key] = load_task(*key, self._root).files
        return self._files[key]

"""Finished runs on data that have changed since: what they found is of images that are no longer there."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from uda.data.domains import SCHEMES
from uda.data.protocols import load_task
from uda.errors import UserError
from uda.training.config import RunConfig
from uda.training.record import changed_files


def outdated(config: RunConfig, folder: Path, root: Path) -> str:
    """Say which file has changed since a finished run read it; nothing where none has, or that cannot be told.

    Only a user's own domains are looked at: the files of others are those of their releases.

    Parameters
    ----------
    config, folder
        The run, and where it is.
    root
        The data root.
    """
    if not any(domain.partition(":")[0] in SCHEMES for domain in (config.source, config.target)):
        return ""
    with suppress(UserError, OSError, ValueError):
        about = json.loads((folder / "run.json").read_bytes())
        changed = changed_files(about, load_task(config.protocol, config.source, config.target, root))
        if changed:
            return f"on other data: {changed[0]} has changed since; move {folder} away to train anew"
    return ""

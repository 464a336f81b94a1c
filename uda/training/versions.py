"""What made a number: the versions of the code and of what it stands on."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch

import uda

#: Seconds that git may take for an answer.
PATIENCE = 10


@cache
def code_version() -> str:
    """Return the version, with the git commit where the code is a checkout and "+dirty" where its code was changed.

    Where it is none (a copy, an image of a container), ``UDA_CODE_VERSION`` may say what it is a copy of. It is looked
    up once in a process, because the code that runs is the code that was loaded: commits made while a sweep goes on do
    not change it.
    """
    here = Path(uda.__file__).parent
    try:
        _git(here, "ls-files", "--error-unmatch", Path(uda.__file__).name)  # else it lies in another's repository
        commit = _git(here, "rev-parse", "--short=10", "HEAD")
        dirty = "+dirty" if _git(here, "status", "--porcelain", "--untracked-files=no", "--", ".") else ""
    except (OSError, subprocess.SubprocessError):
        return os.environ.get("UDA_CODE_VERSION", uda.__version__)
    return f"{uda.__version__}-g{commit}{dirty}"


def versions() -> dict[str, str]:
    """Return the versions that ``run.json`` records."""
    return {
        "uda": uda.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": version("torchvision"),
    }


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=PATIENCE)
    return done.stdout.strip()

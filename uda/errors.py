"""The one error that is shown to people: a sentence that says what, where and what to do."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable


class UserError(Exception):
    """Bad input: the message is one clear sentence; the command line prints it and exits with 2."""


class NotFiniteError(UserError):
    """Training that gave a number which is not finite."""


def sentence_of(error: BaseException) -> str:
    """Return what is said of an error that is the user's to mend: bad input, or what the file system or memory refused.

    Empty for any other, and for a pipe that nobody reads any more.
    """
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MemoryError) or _refuses_memory(error):
        asked = f" ({str(error).splitlines()[0]})" if str(error) else ""
        return (
            f"out of memory{asked}: give fewer or smaller images, a smaller width or batch_size, or fewer runs at a "
            "time (--jobs 1)"
        )
    if not isinstance(error, OSError) or error.errno in (None, errno.EPIPE):
        return ""
    return f"{error.filename}: {error.strerror}" if error.filename else f"{error.strerror}"


def _refuses_memory(error: BaseException) -> bool:
    """Whether it is torch's error for memory that it does not get: a type of its own on a GPU, on a CPU none."""
    of_gpu = type(error).__name__ == "OutOfMemoryError"
    return isinstance(error, RuntimeError) and (of_gpu or "can't allocate memory" in str(error))


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Build the error for a name that is not known, with the nearest known name.

    Parameters
    ----------
    kind
        What the name should be, e.g. ``"domain"``.
    name
        What was given.
    known
        The names that exist.
    """
    names = sorted(known)
    inside = [known for known in names if known.endswith(f".{name}")]
    near = inside or difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return UserError(f"unknown {kind} {name!r}: {hint}known are {', '.join(names)}")

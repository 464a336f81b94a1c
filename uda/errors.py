"""The one error that is shown to people: a sentence that says what, where and what to do."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

#: What is to be done about what the file system refuses.
_TO_DO = {
    errno.EACCES: "change its permissions or give another path",
    errno.EPERM: "change its permissions or give another path",
    errno.EROFS: "give a path that can be written to",
    errno.EISDIR: "give the path of a file",
    errno.ENOTDIR: "a part of this path is a file; give another path",
    errno.EEXIST: "a file is where a folder should be; give another path",
    errno.ENOENT: "give a path that exists and can be written to",
    errno.ENAMETOOLONG: "give a shorter path",
    errno.ENOSPC: "make room there and give the same command again",
    errno.EDQUOT: "make room there and give the same command again",
}


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
    where = f"{error.filename}: " if error.filename else ""
    to_do = f"; {_TO_DO[error.errno]}" if error.errno in _TO_DO else ""
    return f"{where}{error.strerror}{to_do}"


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

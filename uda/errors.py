"""The one error that is shown to people: a sentence that says what, where and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Bad input: the message is one clear sentence; the command line prints it and exits with 2."""


class NotFiniteError(UserError):
    """Training that gave a number which is not finite."""


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
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return UserError(f"unknown {kind} {name!r}: {hint}known are {', '.join(names)}")

"""What came of checking one thing: the same as recorded, or how it differs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes
    ----------
    item
        What.
    same
        Whether it is as recorded, or within what the check allows.
    detail
        What it is, or how it differs.
    """

    item: str
    same: bool
    detail: str

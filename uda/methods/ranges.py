"""Which numbers a setting may be, as part of its type: ``width: Count = 32``."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_type_hints

from uda.errors import UserError


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``; an end that is open does not belong to them."""

    low: float = 0.0
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        ends = f"{'above' if self.open_low else 'at least'} {self.low:g}"
        if self.high < math.inf:
            ends += f" and {'below' if self.open_high else 'at most'} {self.high:g}"
        return ends


#: How many of something there are, of which there must be some.
Count = Annotated[int, Range(low=1)]
#: A number that is divided by.
Positive = Annotated[float, Range(open_low=True)]
#: A part of something, all of it included.
Part = Annotated[float, Range(high=1)]
#: What stays of an average at each step, or a share of the run's steps: not all.
Share = Annotated[float, Range(high=1, open_high=True)]


def check_ranges(settings: Any) -> None:
    """Check the numbers of a dataclass of settings; where a type does not say otherwise, they are at least 0.

    Raises
    ------
    UserError
        Naming the setting, its value and what it may be. Not a number is in no range.
    """
    for name, allowed in ranges_of(type(settings)).items():
        value = getattr(settings, name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value not in allowed:
            raise UserError(f"{name} is {value}: it must be {allowed}")


def ranges_of(kind: type[Any]) -> dict[str, Range]:
    """Return the range of each setting of a dataclass; that of one which is no number says nothing."""
    hints = get_type_hints(kind, include_extras=True)
    marks = {f.name: getattr(hints[f.name], "__metadata__", ()) for f in fields(kind)}
    return {name: next((mark for mark in given if isinstance(mark, Range)), Range()) for name, given in marks.items()}

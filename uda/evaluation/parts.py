"""The parts of a table that is ready to be written in any format. Knows nothing of formats, or of runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from uda.evaluation.ranking import Rank

#: What stands where there is no number.
DASH = "–"


@dataclass(frozen=True)
class Entry:
    """What stands in one place.

    Attributes
    ----------
    text
        As it is shown, without what the format makes of rank and marks.
    rank
        Whether it is the best or the second best of its column.
    marks
        Of its footnotes and of the tests.
    number
        What it is sorted by; None for a text.
    interval
        The two ends of its 95 % interval, in percent; for formats that have room for it.
    """

    text: str = ""
    rank: Rank = ""
    marks: tuple[str, ...] = ()
    number: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Column:
    """One column, or a group of them where it has subcolumns; of words where it is ``wordy``, else of numbers."""

    heading: Entry
    subcolumns: tuple[str, ...] = ()
    wordy: bool = False

    @property
    def width(self) -> int:
        """How many entries it takes of each row."""
        return len(self.subcolumns) or 1


@dataclass(frozen=True)
class Section:
    """Rows that belong together.

    Attributes
    ----------
    heading
        Stands above them; may be empty.
    rows
        One entry per subcolumn.
    kind
        Of the methods in it: one of `uda.evaluation.labels.KINDS`, or ``"published"``.
    """

    heading: str
    rows: tuple[tuple[Entry, ...], ...]
    kind: str = ""

    @property
    def published(self) -> bool:
        """Whether its numbers are from papers."""
        return self.kind == "published"


@dataclass(frozen=True)
class Layout:
    """A table.

    Attributes
    ----------
    title
        One line.
    explanation
        Sentences that stand above the table.
    columns
        From the left. The first says what each row is.
    sections
        From the top.
    footnotes
        (mark, text).
    remarks
        Footnotes of the whole table.
    ranked
        Among what its best entries are the best, for the legend.
    """

    title: str
    explanation: tuple[str, ...]
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    footnotes: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    ranked: str = "of its column"

    @property
    def ranks(self) -> frozenset[Rank]:
        """The ranks that occur in it."""
        return frozenset(entry.rank for section in self.sections for row in section.rows for entry in row) - {""}

    def legend(self, best: str, second: str) -> str:
        """Say in a format's words how ranks are shown; empty where there are none.

        Parameters
        ----------
        best, second
            E.g. ``"Bold"`` and ``"underlined"``.
        """
        if "best" not in self.ranks:
            return ""
        also = f"; {second}: the second best" if "second" in self.ranks else ""
        return f"{best}: the best {self.ranked}{also}."


@dataclass
class Footnotes:
    """Footnotes as they are collected: the same text has the same mark."""

    texts: list[str] = field(default_factory=list)

    def marks(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the marks of some footnotes: a, b, …, z, aa, …."""
        found = []
        for text in texts:
            if text not in self.texts:
                self.texts.append(text)
            found.append(_mark(self.texts.index(text)))
        return tuple(found)

    def listed(self) -> tuple[tuple[str, str], ...]:
        """Return (mark, text) of all, in the order of their marks."""
        return tuple((_mark(number), text) for number, text in enumerate(self.texts))


def _mark(number: int) -> str:
    letter = chr(ord("a") + number % 26)
    return letter if number < 26 else _mark(number // 26 - 1) + letter

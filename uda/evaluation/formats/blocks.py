"""Divides a table that is too wide or too high into several that are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from uda.evaluation.parts import DASH, Column, Entry, Layout, Section

_GAP = 2


def divide(layout: Layout, limit: int, show: Callable[[Entry], str]) -> list[Layout]:
    """Divide a table into blocks that are at most ``limit`` characters wide, or have one column beside the first.

    Parameters
    ----------
    layout
        The table.
    limit
        Characters, with two between columns.
    show
        What an entry looks like.

    Returns
    -------
    list of Layout
        The table itself where it fits. Else blocks that begin with its first column; each has the rows that have
        something in it, and the footnotes of these. The last has the remarks, and what columns of words said as
        references.
    """
    widths = column_widths(layout, show)
    if sum(widths) + _GAP * (len(widths) - 1) <= limit:
        return [layout]
    groups = _group(layout, widths, limit)
    blocks = [_block(layout, numbers) for numbers in groups]
    last = replace(blocks[-1], remarks=layout.remarks, references=(*layout.references, *_references(layout)))
    return [*blocks[:-1], last]


def divide_rows(layout: Layout, limit: int) -> list[Layout]:
    """Divide a table into as few parts of at most ``limit`` lines as there can be, about equally high.

    Returns
    -------
    list of Layout
        Each with its own footnotes; the last has the remarks and references.
    """
    fewest = len(_cut(layout, limit))
    if fewest == 1:
        return [layout]
    lowest = next(lines for lines in range(2, limit + 1) if len(_cut(layout, lines)) == fewest)
    bare = replace(layout, remarks=(), references=())
    parts = [_with_own_footnotes(replace(bare, sections=tuple(sections))) for sections in _cut(layout, lowest)]
    return [*parts[:-1], replace(parts[-1], remarks=layout.remarks, references=layout.references)]


def _cut(layout: Layout, limit: int) -> list[list[Section]]:
    """Return the sections of each part; one that is cut says so in its heading."""
    parts: list[list[Section]] = [[]]
    lines = 0
    for section in layout.sections:
        begun = False
        for row in section.rows:
            heading = not begun and bool(section.heading)
            if lines and lines + heading + 1 > limit:
                parts.append([])
                lines, heading = 0, bool(section.heading)
                fresh = True
            else:
                fresh = not begun
            if fresh:
                title = f"{section.heading} (continued)" if begun and section.heading else section.heading
                parts[-1].append(replace(section, heading=title, rows=()))
            parts[-1][-1] = replace(parts[-1][-1], rows=(*parts[-1][-1].rows, row))
            lines, begun = lines + heading + 1, True
    return parts


def column_widths(layout: Layout, show: Callable[[Entry], str]) -> list[int]:
    """Return the width of each subcolumn; a group's last one is widened where its heading needs more than all."""
    rows = [row for section in layout.sections for row in section.rows]
    widths: list[int] = []
    for column in layout.columns:
        place = len(widths)
        under = column.subcolumns or (show(column.heading),)
        own = [max([len(text), *(len(show(row[place + n])) for row in rows)]) for n, text in enumerate(under)]
        own[-1] += max(0, len(show(column.heading)) - sum(own) - _GAP * (len(own) - 1))
        widths += own
    return widths


def _group(layout: Layout, widths: Sequence[int], limit: int) -> list[list[int]]:
    """Return the numbers of the columns of each block: as few blocks as the limit allows, about equally wide."""
    fewest = len(_fill(layout, widths, limit))
    narrowest = next(narrow for narrow in range(limit + 1) if len(_fill(layout, widths, narrow)) == fewest)
    return _fill(layout, widths, narrowest)


def _fill(layout: Layout, widths: Sequence[int], limit: int) -> list[list[int]]:
    places = _places(layout.columns)
    groups: list[list[int]] = [[0]]
    used = widths[0]
    for number, column in enumerate(layout.columns[1:], start=1):
        if column.wordy:
            continue
        needed = sum(widths[place] + _GAP for place in places[number])
        if used + needed > limit and len(groups[-1]) > 1:
            groups.append([0])
            used = widths[0]
        groups[-1].append(number)
        used += needed
    return groups


def _places(columns: Iterable[Column]) -> list[range]:
    """Return where the entries of each column stand in a row."""
    places, end = [], 0
    for column in columns:
        places.append(range(end, end + column.width))
        end += column.width
    return places


def _block(layout: Layout, numbers: Sequence[int]) -> Layout:
    places = _places(layout.columns)
    kept = [place for number in numbers for place in places[number]]
    columns = tuple(layout.columns[number] for number in numbers)
    sections = []
    for section in layout.sections:
        rows = [tuple(row[place] for place in kept) for row in section.rows]
        told = tuple(row for row in rows if _tells(row, section))
        sections += [replace(section, rows=told)] if told else []
    return _with_own_footnotes(replace(layout, columns=columns, sections=tuple(sections), remarks=(), references=()))


def _with_own_footnotes(layout: Layout) -> Layout:
    """Leave out the footnotes of what is not there."""
    entries = [entry for section in layout.sections for row in section.rows for entry in row]
    used = {mark for entry in (*entries, *(column.heading for column in layout.columns)) for mark in entry.marks}
    return replace(layout, footnotes=tuple((mark, text) for mark, text in layout.footnotes if mark in used))


def _tells(row: Sequence[Entry], section: Section) -> bool:
    """Whether a row has anything to say here; of our own rows a dash is."""
    empty = {"", DASH} if section.published else {""}
    return any(entry.text not in empty for entry in row[1:])


def _references(layout: Layout) -> list[str]:
    """Return what the columns of words behind the first say, as one sentence each."""
    told = []
    for number, column in enumerate(layout.columns):
        if column.wordy and number:
            (place,) = _places(layout.columns)[number]
            rows = [row for section in layout.sections for row in section.rows if row[place].text]
            pairs = dict.fromkeys(f"{row[0].text}: {row[place].text}" for row in rows)
            told.append(f"{column.heading.text.removesuffix('s')}s. {'; '.join(pairs)}.")
    return told

"""Plain text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from uda.evaluation.formats.blocks import column_widths, divide
from uda.evaluation.parts import Entry, Layout

#: Rows stand under the heading of their section.
_INDENT = "  "
_RANKS = {"": "", "best": "*", "second": "+"}


def plain(layout: Layout, width: int = 100) -> str:
    """Write aligned plain text.

    Parameters
    ----------
    layout
        The table.
    width
        Characters: a table that is wider is divided into blocks, one below the other.
    """
    legend = layout.legend("*", "+")
    explanation = [*layout.explanation, *([legend] if legend else [])]
    lines = [layout.title, "", *(line for text in explanation for line in textwrap.wrap(text, width))]
    blocks = divide(layout, width - len(_INDENT), _show)
    for block in blocks:
        lines += ["", *_block(block)]
    for mark, text in layout.footnotes:
        lead = f"[{mark}] "
        lines += textwrap.wrap(text, width, initial_indent=lead, subsequent_indent=" " * len(lead))
    lines += [line for text in blocks[-1].remarks for line in textwrap.wrap(text, width)]
    return "\n".join(lines) + "\n"


def _block(layout: Layout) -> list[str]:
    over, under = [], []
    for column in layout.columns:
        heading = _show(column.heading)
        if column.subcolumns:
            over += [heading, *[""] * (column.width - 1)]
            under += list(column.subcolumns)
        else:
            over.append("")
            under.append(heading)
    widths = column_widths(layout, _show)
    widths[0] += len(_INDENT)
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    lines = [_row(over, widths)] if any(over) else []
    lines.append(_row(under, widths))
    for number, section in enumerate(layout.sections):
        if number == 0 or section.published:
            lines.append(rule)
        if section.heading:
            lines.append(f"{section.heading}:")
        lead = _INDENT if section.heading else ""
        lines += [_row([lead + _show(row[0]), *map(_show, row[1:])], widths) for row in section.rows]
    return [*lines, rule]


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    line, end = "", 0
    for cell, width in zip(cells, widths, strict=True):
        line = line.ljust(end) + cell if cell else line
        end += width + 2
    return line.rstrip()


def _show(entry: Entry) -> str:
    text = entry.text + _RANKS[entry.rank]
    return text + (f" [{','.join(entry.marks)}]" if entry.marks else "")

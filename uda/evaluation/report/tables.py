"""Plain tables of the page: sortable, in a container that scrolls by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from uda.evaluation.report.markup import Html, element, joined


def scrolling(table: Html, label: str) -> Html:
    """Put a table into a container that scrolls sideways where it is too wide, by keyboard too."""
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label=label)


def plain_table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[Html]], numbers: int = 0) -> Html:
    """Build a table of cells from `cell`; its headings sort it.

    Parameters
    ----------
    caption
        What it is, for those who hear it.
    heads
        One per column.
    rows
        Cells; the first of each row is its heading.
    numbers
        How many of the last columns hold numbers.
    """
    words = len(heads) - numbers
    kinds = ("number" if place >= words else False for place in range(len(heads)))
    head = element(
        "tr", *(element("th", text, scope="col", class_=kind) for text, kind in zip(heads, kinds, strict=True))
    )
    body = joined(element("tr", *row) for row in rows)
    table = element("table", element("thead", head), element("tbody", body))
    return scrolling(table, caption)


def cell(content: str, value: str | float | None = None, head: bool = False) -> Html:
    """Build a cell; ``value`` is what it is sorted by where that is not its text."""
    said = {} if value is None else {"data_value": str(value)}
    number = isinstance(value, int | float)
    if head:
        return element("th", content, scope="row", **said)
    return element("td", content, class_="number" if number else "text", **said)

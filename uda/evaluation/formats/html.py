"""HTML: a fragment with one table, for a page of any style."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from uda.evaluation.parts import Column, Entry, Layout, Section


def html(layout: Layout) -> str:
    """Write a ``figure`` that holds the caption, the table and its footnotes; in ASCII, so that no charset matters.

    Every number carries ``data-value``, what it is to be sorted by, and where it has an interval ``data-low`` and
    ``data-high``; the interval also stands below it. The best have the class ``best``, the second best ``second``, a
    dash ``none``. Each kind of methods is a ``tbody`` with ``data-kind``, whose heading is a row of the class
    ``heading``. There is no script, no style and nothing to load.
    """
    legend = layout.legend("Bold", "underlined")
    explanation = " ".join([*layout.explanation, *([legend] if legend else [])])
    lines = [
        '<figure class="results">',
        f"<figcaption><strong>{escape(layout.title)}</strong><p>{escape(explanation)}</p></figcaption>",
        '<div class="scroll"><table>',
        *_head(layout.columns),
        *(line for section in layout.sections for line in _section(section, layout.columns)),
        "</table></div>",
        '<ul class="footnotes">',
        *(f"<li><sup>{escape(mark)}</sup> {escape(text)}</li>" for mark, text in layout.footnotes),
        *(f"<li>{escape(text)}</li>" for text in layout.remarks),
        "</ul>",
        "</figure>",
    ]
    return "\n".join(lines).encode("ascii", "xmlcharrefreplace").decode("ascii") + "\n"


def _head(columns: Iterable[Column]) -> list[str]:
    """Return the row of headings, and the row of subcolumns."""
    over, under = [], []
    for column in columns:
        heading = _marked(column.heading)
        if column.subcolumns:
            over.append(f'<th scope="colgroup" colspan="{column.width}">{heading}</th>')
            under += [f'<th scope="col">{escape(sub)}</th>' for sub in column.subcolumns]
        else:
            over.append(f'<th scope="col" rowspan="2">{heading}</th>')
    if not under:
        over = [cell.replace(' rowspan="2"', "") for cell in over]
    rows = [over, under] if under else [over]
    return ["<thead>", *(f"<tr>{''.join(row)}</tr>" for row in rows), "</thead>"]


def _section(section: Section, columns: Iterable[Column]) -> list[str]:
    wordy = [column.wordy for column in columns for _ in range(column.width)]
    lines = [f'<tbody data-kind="{escape(section.kind)}">']
    if section.heading:
        heading = f'<th scope="rowgroup" colspan="{len(wordy)}">{escape(section.heading)}</th>'
        lines.append(f'<tr class="heading">{heading}</tr>')
    for first, *rest in section.rows:
        cells = [_cell(entry, words) for entry, words in zip(rest, wordy[1:], strict=True)]
        lines.append(f'<tr><th scope="row">{_marked(first)}</th>{"".join(cells)}</tr>')
    return [*lines, "</tbody>"]


def _cell(entry: Entry, wordy: bool) -> str:
    classes: list[str] = [entry.rank] if entry.rank else []
    classes += ["words"] if wordy else ["none"] if entry.number is None else []
    attributes = f' class="{" ".join(classes)}"' if classes else ""
    if entry.number is not None:
        attributes += f' data-value="{entry.number:.6g}"'
    if entry.interval:
        attributes += ' data-low="{:.6g}" data-high="{:.6g}"'.format(*entry.interval)
    return f"<td{attributes}>{_marked(entry)}{_interval(entry)}</td>"


def _marked(entry: Entry) -> str:
    text = escape(entry.text)
    text = {"": text, "best": f"<b>{text}</b>", "second": f"<u>{text}</u>"}[entry.rank]
    return text + (f"<sup>{escape(','.join(entry.marks))}</sup>" if entry.marks else "")


def _interval(entry: Entry) -> str:
    if not entry.interval:
        return ""
    low, high = entry.interval
    return f'<br><small title="95 % interval that the size of the test set leaves">{low:.1f}–{high:.1f}</small>'

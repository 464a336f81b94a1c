"""Write a laid-out table as Markdown, LaTeX or plain text, and a table of runs as CSV."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Iterable, Sequence

from uda.evaluation.layout import Entry, Layout, Section, published_notes
from uda.evaluation.published import PublishedResult, published_name
from uda.evaluation.table import Cell, Table

# Markdown


def markdown(layout: Layout) -> str:
    """Write Markdown with a pipe table, which GitHub renders."""
    head: list[str] = []
    for column in layout.columns:
        heading = _markdown_entry(column.heading)
        head += [f"{heading}<br>{sub}" for sub in column.subcolumns] or [heading]
    width = len(head)
    rules = [":---", *["---:"] * (width - 1)]
    if len(layout.sections) > 1:
        rules[-1] = ":---"
    lines = [f"**{_markdown_escape(layout.title)}**", ""]
    lines += [_markdown_escape(" ".join(layout.explanation)), "", _pipes(head), _pipes(rules)]
    for section in layout.sections:
        if section.heading:
            lines.append(_pipes([f"*{section.heading}*", *[""] * (width - 1)]))
        lines += [_pipes([_markdown_entry(entry) for entry in row]) for row in section.rows]
    lines.append("")
    lines += [f"- <sup>{mark}</sup> {_markdown_escape(text)}" for mark, text in layout.footnotes]
    lines += [f"- {_markdown_escape(text)}" for text in layout.remarks]
    return "\n".join(lines) + "\n"


def _pipes(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _markdown_entry(entry: Entry) -> str:
    text = _markdown_escape(entry.text)
    text = f"**{text}**" if entry.best else text
    return text + (f"<sup>{','.join(entry.marks)}</sup>" if entry.marks else "")


def _markdown_escape(text: str) -> str:
    return re.sub(r"([\\`*_|\[\]~])", r"\\\1", text).replace("<", "&lt;")


# LaTeX

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "→": r"$\rightarrow$",
    "->": r"$\rightarrow$",
    "×": r"$\times$",
    "–": "--",
    **{character: "\\" + character for character in "&%$#_{}"},
}
_LATEX_FIT = r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi"
_LATEX_PATTERN = re.compile("|".join(re.escape(text) for text in sorted(_LATEX, key=len, reverse=True)))


def latex(layout: Layout) -> str:
    r"""Write a ``table*`` environment with booktabs rules, to be ``\input`` as it is; shrunk where it is too wide."""
    caption = " ".join([f"{layout.title}.", *layout.explanation])
    alignment = "".join("r" * (len(column.subcolumns) or 1) for column in layout.columns)
    alignment = "l" + alignment[1:]
    if len(layout.sections) > 1:
        alignment = alignment[:-1] + "l"
    lines = [
        r"% needs \usepackage{booktabs,graphicx}",
        r"\begin{table*}[t]",
        r"\centering\small\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{latex_escape(caption)}}}",
        r"\sbox0{%",
        rf"\begin{{tabular}}{{@{{}}{alignment}@{{}}}}",
        r"\toprule",
        *_latex_head(layout),
        r"\midrule",
    ]
    for section in layout.sections:
        if section.heading:
            lines += [r"\midrule", rf"\multicolumn{{{len(alignment)}}}{{@{{}}l}}{{\emph{{{section.heading}}}}} \\"]
        lines += [_latex_row(_latex_entry(entry) for entry in row) for row in section.rows]
    lines += [r"\bottomrule", r"\end{tabular}}%", _LATEX_FIT, r"\par\smallskip", r"{\footnotesize\raggedright"]
    lines += [rf"$^{{\mathrm{{{mark}}}}}$ {latex_escape(text)}\par" for mark, text in layout.footnotes]
    lines += [rf"{latex_escape(text)}\par" for text in layout.remarks]
    return "\n".join([*lines, "}", r"\end{table*}"]) + "\n"


def _latex_head(layout: Layout) -> list[str]:
    """Return the row of headings, the rules under pairs, and the row of subcolumns."""
    over, rules, under, place = [], [], [], 1
    for column in layout.columns:
        count = len(column.subcolumns) or 1
        heading = _latex_entry(column.heading)
        if column.subcolumns:
            over.append(rf"\multicolumn{{{count}}}{{c}}{{{heading}}}")
            rules.append(rf"\cmidrule(lr){{{place}-{place + count - 1}}}")
            under += list(column.subcolumns)
        else:
            over.append("")
            under.append(heading)
        place += count
    return [_latex_row(over), " ".join(rules), _latex_row(under)]


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _latex_entry(entry: Entry) -> str:
    text = latex_escape(entry.text)
    text = rf"\textbf{{{text}}}" if entry.best else text
    return text + (rf"$^{{\mathrm{{{','.join(entry.marks)}}}}}$" if entry.marks else "")


def latex_escape(text: str) -> str:
    """Write plain text as LaTeX: special characters escaped, ± and → as mathematics."""
    return _LATEX_PATTERN.sub(lambda match: _LATEX[match.group()], text)


# Plain text


def plain(layout: Layout) -> str:
    """Write aligned plain text for a terminal; the best entries are marked by a star."""
    over, under = [], []
    for column in layout.columns:
        heading = _plain_entry(column.heading)
        if column.subcolumns:
            over += [heading, *[""] * (len(column.subcolumns) - 1)]
            under += list(column.subcolumns)
        else:
            over.append("")
            under.append(heading)
    rows = [[_plain_entry(entry) for entry in row] for section in layout.sections for row in section.rows]
    widths = _widths(layout, over, [under, *rows])
    explanation = " ".join(layout.explanation).replace("Bold: ", "Star: ")
    lines = [
        layout.title,
        "",
        *textwrap.wrap(explanation, 100),
        "",
        _plain_row(over, widths),
        _plain_row(under, widths),
    ]
    rule = "-" * len(_plain_row(["x" * width for width in widths], widths))
    for section in layout.sections:
        lines += [rule, *_plain_section(section, widths)]
    lines += [rule, *(f"[{mark}] {text}" for mark, text in layout.footnotes)]
    lines += [line for text in layout.remarks for line in textwrap.wrap(text, 100)]
    return "\n".join(lines) + "\n"


def _plain_section(section: Section, widths: Sequence[int]) -> list[str]:
    heading = [f"{section.heading}:"] if section.heading else []
    return heading + [_plain_row([_plain_entry(entry) for entry in row], widths) for row in section.rows]


def _widths(layout: Layout, over: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the width of each subcolumn; a pair's last one is widened where its heading needs more than all."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(over))]
    place = 0
    for column in layout.columns:
        count = len(column.subcolumns) or 1
        have = sum(widths[place : place + count]) + 2 * (count - 1)
        widths[place + count - 1] += max(0, len(over[place]) - have)
        place += count
    return widths


def _plain_row(cells: Sequence[str], widths: Sequence[int]) -> str:
    line, end = "", 0
    for cell, width in zip(cells, widths, strict=True):
        line = line.ljust(end) + cell if cell else line
        end += width + 2
    return line.rstrip()


def _plain_entry(entry: Entry) -> str:
    text = entry.text + ("*" if entry.best else "")
    return text + (f" [{','.join(entry.marks)}]" if entry.marks else "")


# CSV

_CSV_COLUMNS = (
    *("section", "protocol", "method", "source", "target", "n", "steps", "validator", "precision", "n_test"),
    *("last_mean", "last_std", "pick_mean", "pick_std", "oracle_mean", "oracle_std"),
    *("published", "published_std", "reference", "notes"),
)


def tidy_csv(tables: Iterable[tuple[Table, Sequence[PublishedResult]]]) -> str:
    """Write one line per method and pair, unrounded: for spreadsheets and plots. Published results follow ours."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _CSV_COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for table, published in tables:
        for row in table.rows:
            writer.writerows(_our_line(row.label, cell) for cell in row.cells.values())
        for pair in table.pairs:
            name = published_name(pair[0]), published_name(pair[1])
            writer.writerows(
                {
                    "section": "published",
                    "protocol": result.protocol,
                    "method": result.method,
                    "source": result.source,
                    "target": result.target,
                    "published": result.accuracy,
                    "published_std": result.std,
                    "reference": result.citation,
                    "notes": "; ".join(published_notes(table.protocol, pair, result)),
                }
                for result in published
                if (result.source, result.target) == name
            )
    return text.getvalue()


def _our_line(label: str, cell: Cell) -> dict[str, object]:
    first = cell.runs[0]
    shared = ("protocol", "source", "target", "steps", "validator", "precision", "n_test")
    line: dict[str, object] = {name: getattr(first, name) for name in shared}
    line |= {"section": "ours", "method": label, "n": len(cell.runs), "notes": "; ".join(cell.notes)}
    for name, estimate in (("last", cell.last), ("pick", cell.pick), ("oracle", cell.oracle)):
        line[f"{name}_mean"] = estimate.mean
        line[f"{name}_std"] = "" if estimate.std is None else estimate.std
    return line

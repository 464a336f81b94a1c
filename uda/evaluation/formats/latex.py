r"""LaTeX with booktabs, to be ``\input`` as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from uda.evaluation.formats.blocks import divide
from uda.evaluation.parts import Entry, Layout

#: A table that is wider, in characters, is divided into several, so that none is shrunk beyond reading.
_WIDEST = 120

_CHARACTERS = {
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
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    "–": "--",
    "…": r"\dots{}",
    **{character: "\\" + character for character in "&%$#_{}"},
}
_PATTERN = re.compile("|".join(re.escape(text) for text in sorted(_CHARACTERS, key=len, reverse=True)))
# Box 0 holds the table: it is shrunk where it is wider than the text or leaves no room for its notes.
_FIT = (
    r"\ifdim\wd0>\linewidth\sbox0{\resizebox{\linewidth}{!}{\usebox0}}\fi",
    r"\ifdim\dimexpr\ht0+\dp0\relax>.7\textheight\sbox0{\resizebox*{!}{.7\textheight}{\usebox0}}\fi",
    r"\usebox0",
)


def latex(layout: Layout) -> str:
    r"""Write ``table*`` environments with booktabs rules: one, or several where the table is too wide for a page."""
    blocks = divide(layout, _WIDEST, lambda entry: entry.text.replace(" ± ", "±") + "," * len(entry.marks))
    lines = [r"% needs \usepackage{booktabs,graphicx}"]
    for number, block in enumerate(blocks, start=1):
        part = f" ({number} of {len(blocks)})" if len(blocks) > 1 else ""
        lines += _environment(block, part, first=number == 1)
    return "\n".join(lines) + "\n"


def _environment(layout: Layout, part: str, first: bool) -> list[str]:
    alignment = "".join(("l" if column.wordy else "r") * column.width for column in layout.columns)
    legend = layout.legend("Bold", "underlined")
    notes = [*layout.explanation, *([legend] if legend else [])] if first else []
    return [
        r"\begin{table*}[tp]",
        r"\centering\small\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{latex_escape(layout.title + part)}.}}",
        r"\sbox0{%",
        rf"\begin{{tabular}}{{@{{}}{alignment}@{{}}}}",
        r"\toprule",
        *_head(layout),
        *_body(layout, len(alignment)),
        r"\bottomrule",
        r"\end{tabular}}%",
        *_FIT,
        r"\par\smallskip",
        r"{\footnotesize\raggedright",
        *([rf"{latex_escape(' '.join(notes))}\par"] if notes else []),
        *(rf"{_raised([mark])}~{latex_escape(text)}\par" for mark, text in layout.footnotes),
        *(rf"{latex_escape(text)}\par" for text in layout.remarks),
        "}",
        r"\end{table*}",
    ]


def _head(layout: Layout) -> list[str]:
    """Return the row of headings, the rules under groups, and the row of subcolumns."""
    over, rules, under, place = [], [], [], 1
    for column in layout.columns:
        heading = _entry(column.heading)
        if column.subcolumns:
            over.append(rf"\multicolumn{{{column.width}}}{{c}}{{{heading}}}")
            rules.append(rf"\cmidrule(lr){{{place}-{place + column.width - 1}}}")
            under += [latex_escape(sub) for sub in column.subcolumns]
        else:
            over.append("")
            under.append(heading)
        place += column.width
    return [_row(over), " ".join(rules), _row(under)] if rules else [_row(under)]


def _body(layout: Layout, width: int) -> list[str]:
    lines = []
    for number, section in enumerate(layout.sections):
        lines.append(r"\midrule" if number == 0 or section.published else r"\addlinespace")
        if section.heading:
            lines.append(rf"\multicolumn{{{width}}}{{@{{}}l}}{{\emph{{{latex_escape(section.heading)}}}}} \\")
        lead = r"\quad " if section.heading else ""
        lines += [_row([lead + _entry(row[0]), *map(_entry, row[1:])]) for row in section.rows]
    return lines


def _row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _entry(entry: Entry) -> str:
    mean, sign, deviation = entry.text.partition(" ± ")
    text = latex_escape(mean)
    text = {"": text, "best": rf"\textbf{{{text}}}", "second": rf"\underline{{{text}}}"}[entry.rank]
    if sign:
        text += rf"{{\scriptsize\,$\pm$\,{latex_escape(deviation)}}}"
    return text + (_raised(entry.marks) if entry.marks else "")


def _raised(marks: Iterable[str]) -> str:
    signs = {"†": r"\dagger", "‡": r"\ddagger"}
    letters = (signs.get(mark, rf"\mathrm{{{mark}}}") for mark in marks)
    return f"$^{{{','.join(letters)}}}$"


def latex_escape(text: str) -> str:
    """Write plain text as LaTeX: special characters escaped, ±, → and the like as mathematics."""
    return _PATTERN.sub(lambda match: _CHARACTERS[match.group()], text)

r"""LaTeX with booktabs, to be ``\input`` as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from uda.evaluation.formats.blocks import divide, divide_rows
from uda.evaluation.parts import Entry, Layout

#: A table that is wider, in characters, or higher, in lines, is divided, so that none is shrunk beyond reading.
_WIDEST, _HIGHEST = 120, 40

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
    "§": r"\S{}",
    "–": "--",
    "−": "$-$",
    "…": r"\dots{}",
    **{character: "\\" + character for character in "&%$#_{}"},
}
_PATTERN = re.compile("|".join(re.escape(text) for text in sorted(_CHARACTERS, key=len, reverse=True)))
# Box 0 holds the table, box 1 its notes: the table is shrunk where it is wider than the text, or higher than the room
# that its caption and its notes leave on a page.
_ROOM = r"\dimexpr\textheight-\ht1-\dp1-4\baselineskip\relax"
_FIT = (
    r"\ifdim\wd0>\linewidth\sbox0{\resizebox{\linewidth}{!}{\usebox0}}\fi",
    rf"\ifdim\dimexpr\ht0+\dp0\relax>{_ROOM}\sbox0{{\resizebox*{{!}}{{{_ROOM}}}{{\usebox0}}}}\fi",
    r"\usebox0\par\smallskip\usebox1",
)


def latex(layout: Layout) -> str:
    r"""Write ``table*`` environments with booktabs rules: one, or several where the table is too wide for a page."""
    blocks = [part for block in divide(layout, _WIDEST, _outline) for part in divide_rows(block, _HIGHEST)]
    lines = [r"% needs \usepackage{booktabs,graphicx}"]
    legend = layout.legend("Bold", "underlined")
    explanation = [*layout.explanation, *([legend] if legend else [])]
    for number, block in enumerate(blocks, start=1):
        part = f" ({number} of {len(blocks)})" if len(blocks) > 1 else ""
        lines += _environment(block, part, explanation if number == 1 else [])
    lines += [rf"\par{{\footnotesize\raggedright\noindent {latex_escape(text)}\par}}" for text in blocks[-1].references]
    return "\n".join(lines) + "\n"


def _outline(entry: Entry) -> str:
    """Return a text that is about as wide as the entry is when it is printed."""
    return entry.text.replace(" ± ", "±") + "," * len(entry.marks)


def _environment(layout: Layout, part: str, explanation: Sequence[str]) -> list[str]:
    alignment = "".join(("l" if column.wordy else "r") * column.width for column in layout.columns)
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
        r"\sbox1{\parbox[t]{\linewidth}{\footnotesize\raggedright",
        *_notes(layout, explanation),
        r"}}%",
        *_FIT,
        r"\end{table*}",
    ]


def _notes(layout: Layout, explanation: Sequence[str]) -> list[str]:
    """Return the explanation, which only the first part of a table has, then footnotes and remarks."""
    return [
        *([rf"{latex_escape(' '.join(explanation))}\par"] if explanation else []),
        *(rf"{_raised([mark])}~{latex_escape(text)}\par" for mark, text in layout.footnotes),
        *(rf"{latex_escape(text)}\par" for text in layout.remarks),
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
    signs = {"†": r"\dagger", "‡": r"\ddagger", "§": r"\S"}
    letters = (signs.get(mark, rf"\mathrm{{{mark}}}") for mark in marks)
    return f"$^{{{','.join(letters)}}}$"


def latex_escape(text: str) -> str:
    """Write plain text as LaTeX: special characters escaped, ±, → and the like as mathematics."""
    return _PATTERN.sub(lambda match: _CHARACTERS[match.group()], text)

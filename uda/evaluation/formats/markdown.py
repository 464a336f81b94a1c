"""Markdown with a pipe table, which GitHub renders."""

from __future__ import annotations

import re
from collections.abc import Iterable

from uda.evaluation.parts import Entry, Layout


def markdown(layout: Layout) -> str:
    """Write Markdown: the best bold, the second best underlined, marks raised."""
    head: list[str] = []
    rules: list[str] = []
    for column in layout.columns:
        heading = _entry(column.heading)
        head += [f"{heading}<br>{sub}" for sub in column.subcolumns] or [heading]
        rules += [":---" if column.wordy else "---:"] * column.width
    explanation = [_escape(sentence) for sentence in layout.explanation]
    legend = layout.legend("**Bold**", "<u>underlined</u>")
    lines = [f"**{_escape(layout.title)}**", "", " ".join([*explanation, *([legend] if legend else [])]), ""]
    lines += [_pipes(head), _pipes(rules)]
    for section in layout.sections:
        if section.heading:
            lines.append(_pipes([f"*{_escape(section.heading)}*", *[""] * (len(head) - 1)]))
        lead = "&emsp;" if section.heading else ""
        lines += [_pipes([lead + _entry(row[0]), *map(_entry, row[1:])]) for row in section.rows]
    lines.append("")
    lines += [f"- <sup>{mark}</sup> {_escape(text)}" for mark, text in layout.footnotes]
    lines += [f"- {_escape(text)}" for text in layout.remarks]
    return "\n".join(lines) + "\n"


def _pipes(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _entry(entry: Entry) -> str:
    text = _escape(entry.text)
    text = {"": text, "best": f"**{text}**", "second": f"<u>{text}</u>"}[entry.rank]
    return text + (f"<sup>{','.join(entry.marks)}</sup>" if entry.marks else "")


def _escape(text: str) -> str:
    return re.sub(r"([\\`*_|\[\]~])", r"\\\1", text).replace("<", "&lt;").replace("\n", " ")

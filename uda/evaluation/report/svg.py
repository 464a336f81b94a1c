"""Figures inside the page: their ink follows the page's, and their names do not meet."""

from __future__ import annotations

import re

from uda.evaluation.figures.style import COLOURS, INK, MUTED, PAPER, Drawing, svg
from uda.evaluation.report.markup import Html, escaped

# What would be too dark on a dark page is the page's to choose.
_COLOURS = {INK: "currentColor", MUTED: "var(--muted)", PAPER: "var(--paper)", COLOURS[0].lower(): "var(--blue)"}
_COLOUR = re.compile("|".join(_COLOURS), re.IGNORECASE)
_NAME = re.compile(r'(\bid="|\bxlink:href="#|\bhref="#|url\(#)')


def inline_svg(drawing: Drawing, name: str, label: str) -> Html:
    """Return a figure as an ``<svg>`` element.

    Parameters
    ----------
    drawing
        What to show.
    name
        Goes before every id in it: all figures of a page share one space of ids.
    label
        What a screen reader says.
    """
    text = svg(drawing.figure)
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.DOTALL)
    text = _COLOUR.sub(lambda match: _COLOURS[match.group().lower()], text)
    text = _NAME.sub(lambda match: f"{match.group()}{name}-", text)
    return Html(text.replace("<svg ", f'<svg role="img" aria-label="{escaped(label)}" ', 1).strip())

"""How every figure looks and is written: a paper's sizes, colours that all eyes tell apart, files that hold no date."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from uda.errors import UserError
from uda.evaluation.labels import adapts
from uda.evaluation.series import Series, ordered_labels
from uda.methods.base import Kind

Width = Literal["column", "page"]

#: Inches, as a two-column paper has them.
WIDTHS: dict[Width, float] = {"column": 3.4, "page": 7.0}

INK = "#1f2328"
MUTED = "#6e7781"
PAPER = "#ffffff"

#: Okabe and Ito's colours (2008) that show on white: blue, vermillion, green, orange, purple, sky blue.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9")

# Lengths without a common divisor with that of the colours or each other: no two of the first 210 look the same.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.5, 1.2, 1.5)), (0, (8, 2, 2, 2, 2, 2)))

_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 8,
    "text.parse_math": False,  # names may hold dollar signs
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlepad": 4,
    "axes.labelpad": 2,
    "axes.axisbelow": True,
    "grid.color": MUTED,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.4,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.2,
    "lines.markeredgewidth": 0.6,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "hatch.linewidth": 0.5,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
    "figure.constrained_layout.hspace": 0.05,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,  # TrueType: what journals' checks ask for
    "svg.fonttype": "path",
}

_METADATA: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None},
    ".svg": {"Date": None, "Creator": None},
}

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Drawing:
    """A figure, and the sentences that belong under it."""

    figure: Figure
    caption: str


@dataclass(frozen=True)
class Mark:
    """How one method looks in every figure of a set: told apart by colour, by marker and by dashes."""

    colour: str
    marker: str
    dashes: Any

    @property
    def line(self) -> dict[str, Any]:
        """Keywords of a line."""
        return {"color": self.colour, "marker": self.marker, "linestyle": self.dashes, "markerfacecolor": PAPER}


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw in this style, whatever the reader's matplotlibrc says; nothing global is changed after it."""

    @wraps(draw)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.style.context(["default", _RC]):
            return draw(*args, **kwargs)

    return in_style


def marks(methods: Iterable[tuple[str, Kind]]) -> dict[str, Mark]:
    """Give each method its mark: the bounds are grey and black, methods that adapt go through the colours.

    Parameters
    ----------
    methods
        (label, kind), in the order of the table.
    """
    found: dict[str, Mark] = {}
    adapting = 0
    for label, kind in dict.fromkeys(methods):
        if adapts(kind):
            place, adapting = adapting, adapting + 1
            found[label] = Mark(
                COLOURS[place % len(COLOURS)], _MARKERS[place % len(_MARKERS)], _DASHES[place % len(_DASHES)]
            )
        else:
            found[label] = Mark(MUTED, "<", (0, (1, 1))) if kind == "source-only" else Mark(INK, ">", (0, (4, 1, 1, 1)))
    return found


def looks_of(series: Sequence[Series]) -> dict[str, Mark]:
    """Give each label of some series its mark."""
    kinds = {each.label: each.kind for each in series}
    return marks((label, kinds[label]) for label in ordered_labels(series))


def figure(width: Width, height: float) -> Figure:
    """Make an empty figure, its height in inches. Needs no display and no pyplot."""
    made = Figure(figsize=(WIDTHS[width], height))
    FigureCanvasAgg(made)
    return made


def grid_of_panels(
    count: int, width: Width, columns: int, height: float, extra: float = 0.0, **shared: Any
) -> tuple[Figure, list[Axes]]:
    """Make a figure of equal panels in rows; those that are not needed in the last row are left out.

    Parameters
    ----------
    count
        How many panels.
    width
        Of the figure.
    columns
        Panels in a row, at most.
    height
        Of one panel, inches.
    extra
        What a legend needs, inches.
    shared
        ``sharex`` and ``sharey`` of matplotlib's ``subplots``.
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    made = figure(width, rows * height + extra)
    axes = made.subplots(rows, columns, squeeze=False, **shared).ravel().tolist()
    for spare in axes[count:]:
        made.delaxes(spare)
    return made, axes[:count]


def fitted(text: str, letters: int, lines: int = 1) -> str:
    """Return a name that takes no more than some lines of so many letters; what is too long loses its middle.

    Names can be paths, and a figure has no room for those; their ends tell more of them apart than their beginnings.
    """
    room = letters * lines
    if len(text) > room:
        text = f"{text[: room // 2 - 1]}…{text[len(text) - room // 2 :]}"
    words = textwrap.wrap(text, letters)
    # where words do not fill their lines, the lines are cut anywhere
    return "\n".join(words if len(words) <= lines else [text[n : n + letters] for n in range(0, len(text), letters)])


def told_apart(names: Sequence[str], letters: int, lines: int = 1) -> list[str]:
    """Return names as `fitted` does, but no two that differ as one: what such begin alike with goes.

    Where they differ in their middles all are numbered.
    """
    short = {name: fitted(name, letters, lines) for name in names}
    for text in dict.fromkeys(short.values()):
        alike = [name for name in short if short[name] == text]
        if len(alike) > 1:
            begin = where_they_part(alike)
            short |= {name: fitted(f"…{name[begin:]}", letters, lines) for name in alike}
    if len(set(short.values())) < len(short):
        short = {name: fitted(f"{number} {name}", letters, lines) for number, name in enumerate(short, 1)}
    return [short[name] for name in names]


def where_they_part(names: Sequence[str]) -> int:
    """Return where the first word begins, or the first part of a path, that names do not have in common."""
    alike = (len(set(letters)) == 1 for letters in zip(*names, strict=False))
    count = sum(1 for _ in takewhile(bool, alike))
    return max(names[0].rfind(gap, 0, count) for gap in " /") + 1 or count


def shown(label: str) -> str:
    """Return a legend's label that matplotlib does not hide, as it does those that begin with an underscore."""
    return f" {label}" if label.startswith("_") else label


def legend_columns(labels: Sequence[str], width: Width) -> int:
    """Return how many entries of a legend fit beside each other below a figure."""
    most, letters = {"column": (2, 55), "page": (4, 120)}[width]
    longest = max(map(len, labels), default=0)
    return max(1, min(most, len(labels), letters // (longest + 10)))  # a marker takes the room of ten letters


def check_name(path: Path) -> None:
    """Raise `UserError` for a file name that does not end in ``.png``, ``.pdf`` or ``.svg``."""
    if path.suffix.lower() not in _METADATA:
        raise UserError(f"{path}: figures are written as PNG, PDF or SVG; give a name that ends in .png, .pdf or .svg")


@styled
def save(drawn: Figure, path: Path) -> None:
    """Write a figure; the ending chooses the format. The same figure gives the same bytes: no date, no random name."""
    check_name(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    form = path.suffix.lower()
    with matplotlib.rc_context({"svg.hashsalt": "uda"}):
        drawn.savefig(path, format=form[1:], metadata=_METADATA[form])


@styled
def svg(drawn: Figure) -> str:
    """Return a figure as the text of an SVG whose writing is text, in the fonts of whoever shows it."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "uda", "svg.fonttype": "none"}):
        drawn.savefig(text, format="svg", metadata=_METADATA[".svg"], transparent=True)
    return text.getvalue()

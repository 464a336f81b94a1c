"""Names in the room that a figure has for them: shortened, told apart, and measured."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

_LEAST, _MOST = 8, 200  # letters of a line of a title, however little or much room it has


def fitted(text: str, letters: int, lines: int = 1) -> str:
    """Return a name that takes no more than some lines of so many letters; what is too long loses its middle.

    Names can be paths, and a figure has no room for those; their ends tell more of them apart than their beginnings.
    Names that stand beside each other go through `fitted_apart`.
    """
    room = letters * lines
    if len(text) > room:
        text = f"{text[: room // 2 - 1]}…{text[len(text) - room // 2 :]}"
    words = textwrap.wrap(text, letters)
    # where words do not fill their lines, the lines are cut anywhere
    return "\n".join(words if len(words) <= lines else [text[n : n + letters] for n in range(0, len(text), letters)])


def fitted_apart(texts: Iterable[str], letters: int, lines: int = 1) -> list[str]:
    """Shorten names as `fitted` does; those that would become the same show where they differ.

    Where even that does not tell them apart, they are numbered.
    """
    names = list(texts)
    short = {name: fitted(name, letters, lines) for name in names}
    for alike in _alike(short):
        short |= _where_they_differ(alike, letters, lines)
    same = [name for alike in _alike(short) for name in alike]
    short |= {name: f"{fitted(name, letters - 5, lines)} ({number})" for number, name in enumerate(same, start=1)}
    return [short[name] for name in names]


def _alike(short: Mapping[str, str]) -> list[list[str]]:
    """Return the groups of names that were shortened to the same."""
    groups: dict[str, list[str]] = {}
    for name, text in short.items():
        groups.setdefault(text, []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def _where_they_differ(names: Sequence[str], letters: int, lines: int) -> dict[str, str]:
    """Shorten names to their ends and what is around the first letter that not all of them share."""
    columns = enumerate(zip(*names, strict=False))
    shared = next((place for place, here in columns if len(set(here)) > 1), min(map(len, names)))
    short = {name: fitted(_around(name, shared, letters * lines), letters, lines) for name in names}
    for alike in _alike(short):
        if len(alike) < len(names):
            short |= _where_they_differ(alike, letters, lines)
    return short


def _around(name: str, place: int, room: int) -> str:
    """Return a name's beginning, some letters around a place of it, and its end, in so much room."""
    end = room // 4
    middle = room - 2 * end - 2
    begin = max(end, place - middle // 4)
    if len(name) <= room:
        return name
    if begin + middle >= len(name) - end:
        return f"{name[:end]}…{name[len(name) - (room - end - 1) :]}"
    return f"{name[:end]}…{name[begin : begin + middle]}…{name[len(name) - end :]}"


def shown(label: str) -> str:
    """Return a legend's label that matplotlib does not hide, as it does those that begin with an underscore."""
    return f" {label}" if label.startswith("_") else label


def fit_titles(figure: Figure, axes: Sequence[Axes], titles: Sequence[str], lines: int = 2) -> None:
    """Write the titles of equal panels, as long as there is room above each; to be called when all else is drawn.

    Letters are not equally wide, and a panel with long class names on its left has little room: so they are measured.
    """
    figure.draw_without_rendering()  # puts the panels in their places
    longest = min(_MOST, max(_LEAST, *map(len, titles)))
    for letters in range(longest, _LEAST - 1, -1):
        for axis, title in zip(axes, fitted_apart(titles, letters, lines), strict=True):
            axis.set_title(title)
        if all(axis.title.get_window_extent().width <= _room(figure, axis) for axis in axes):
            return


def _room(figure: Figure, axis: Axes) -> float:
    """Return how wide a title can be, centred above its panel, without leaving the panel's share of the figure."""
    spec = axis.get_subplotspec()
    assert spec is not None  # all panels stand in a grid
    share = figure.bbox.width / spec.get_gridspec().ncols
    left = share * spec.colspan.start
    box = axis.get_window_extent()
    centre = (box.x0 + box.x1) / 2
    return 1.96 * float(min(centre - left, left + share - centre))

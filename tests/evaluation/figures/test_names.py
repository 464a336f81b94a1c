import itertools
from collections.abc import Sequence

import pytest
from matplotlib.figure import Figure

from uda.evaluation.figures.names import fit_titles, fitted, fitted_apart
from uda.evaluation.figures.style import Width, grid_of_panels, styled


def test_long_names_lose_their_middle() -> None:
    assert fitted("UNIT, 2,000 steps", 20) == "UNIT, 2,000 steps"
    assert fitted("UNIT, 2,000 steps, settings abc123", 20, 2) == "UNIT, 2,000 steps,\nsettings abc123"
    assert fitted("UNIT, 2,000 steps, settings abc123", 20) == "UNIT, 2,0…ngs abc123"
    long = fitted("x" * 500, 20, 2).split("\n")
    assert len(long) == 2
    assert max(map(len, long)) <= 20


def lengths(name: str) -> list[int]:
    return [len(line) for line in name.split("\n")]


def test_names_that_would_become_the_same_show_where_they_differ() -> None:
    names = [f"UNIT (some-preset-with-its-name-{which}-and-an-end-that-all-share)" for which in ("one", "two")]
    assert fitted(names[0], 36) == fitted(names[1], 36)
    assert fitted_apart([*names, "DANN"], 36) == [
        "UNIT (som…ame-one-and-an-e…ll-share)",
        "UNIT (som…ame-two-and-an-e…ll-share)",
        "DANN",
    ]


@pytest.mark.parametrize(("letters", "lines"), [(36, 1), (30, 2), (18, 2), (14, 1)])
def test_no_two_names_are_shortened_to_the_same(letters: int, lines: int) -> None:
    fill = "x" * 70
    parts = itertools.product(("one", "two"), ("three", "four", "fourth"), ("five", "six"))
    names = [f"{fill}-{a}-{fill}-{b}-{fill}-{c}-{fill}" for a, b, c in parts]
    names += ["y" * length for length in (150, 151, 300)]  # nothing but their lengths differ
    short = fitted_apart(names, letters, lines)
    assert len(set(short)) == len(names)
    for name in short:
        assert len(lengths(name)) <= lines
        assert max(lengths(name)) <= letters


def test_settings_that_differ_are_seen() -> None:
    alike = [f"UNIT, lambda_0 = {value}, plain_game = true, warmup = 300" for value in (0.1, 0.5)]
    assert len({fitted(name, 36) for name in alike}) == 1
    short = fitted_apart(["DANN", *alike, "DANN"], 36)
    assert short[0] == short[3] == "DANN"
    assert "0.1" in short[1]
    assert "0.5" in short[2]


def test_equal_names_stay_equal() -> None:
    assert fitted_apart(["a" * 50, "b", "a" * 50], 10) == [fitted("a" * 50, 10), "b", fitted("a" * 50, 10)]


@styled
def titled(titles: Sequence[str], width: Width, columns: int) -> Figure:
    made, axes = grid_of_panels(len(titles), width, columns, 1.5)
    axes[0].set_ylabel("y")
    fit_titles(made, axes, titles)
    return made


def test_titles_stay_above_their_panels_however_wide_their_letters() -> None:
    titles = [f"{letter * 40}, MNIST → MNIST-M" for letter in "iW"]
    for columns in (1, 2):
        made = titled(titles, "column", columns)
        made.draw_without_rendering()
        for place, axis in enumerate(made.axes):
            box, share = axis.title.get_window_extent(), made.bbox.width / columns
            assert share * (place % columns) <= box.x0 < box.x1 <= share * (place % columns + 1)
            assert box.y1 <= made.bbox.y1


def test_a_title_that_has_room_is_whole() -> None:
    made = titled(["DANN, MNIST → USPS", ""], "page", 2)
    assert [axis.get_title() for axis in made.axes] == ["DANN, MNIST → USPS", ""]

import itertools

import pytest

from uda.evaluation.figures.names import fitted, fitted_apart


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


def test_equal_names_stay_equal() -> None:
    assert fitted_apart(["a" * 50, "b", "a" * 50], 10) == [fitted("a" * 50, 10), "b", fitted("a" * 50, 10)]

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from tests.evaluation.examples import result, write_run
from tests.evaluation.logged import series_of
from uda.evaluation.figures.bars import accuracy_bars, near_start
from uda.evaluation.figures.style import looks_of
from uda.evaluation.series import Series


@pytest.fixture
def series(tmp_path: Path) -> tuple[Series, ...]:
    runs = [
        result(seed=1, accuracy_last=80.0, accuracy_validator=70.0, n_test=400),
        result(seed=2, accuracy_last=84.0, accuracy_validator=72.0, n_test=400),
        result(method="dann", accuracy_last=75.0, n_test=400),
        result(method="dann", source="usps", target="mnist", accuracy_last=96.0, n_test=10_000),
    ]
    for number, run in enumerate(runs):
        write_run(tmp_path / str(number), run)
    return series_of(tmp_path)


def bars(axis: Axes) -> list[float]:
    return [patch.get_width() for patch in axis.patches if isinstance(patch, Rectangle)]


def widths(axis: Axes) -> list[tuple[float, float]]:
    """The ends of all horizontal lines that are intervals."""
    lines = [np.asarray(line.get_data(), dtype=float) for line in axis.lines if line.get_linestyle() != "None"]
    return [(x[0], x[1]) for x, y in lines if len(x) == 2 and y[0] == y[1] and x[0] != x[1]]


def wilson(p: float, n: int) -> tuple[float, float]:
    """The roots of (p - q)² = z² q (1 - q) / n, which Wilson's interval is, in percent."""
    z = 1.959963984540054
    roots = np.roots([1 + z * z / n, -(2 * p + z * z / n), p * p])
    return 100 * float(roots.min()), 100 * float(roots.max())


def test_bars_are_means_and_intervals_are_both_kinds(series: tuple[Series, ...]) -> None:
    axis = accuracy_bars(series, looks_of(series)).figure.axes[0]
    assert bars(axis) == [75.0, 82.0]
    found = widths(axis)
    assert found[0] == pytest.approx(wilson(0.75, 400))
    assert found[1] == pytest.approx(wilson(0.82, 400))  # as wide as one run's: the images are the same in both seeds
    assert found[2] == pytest.approx((82 - 8**0.5, 82 + 8**0.5))
    assert len(found) == 3  # one seed has no deviation
    assert axis.get_xlim()[0] == 0.0


def test_the_validators_pick_can_be_the_headline(series: tuple[Series, ...]) -> None:
    drawing = accuracy_bars(series, looks_of(series), "validator")
    assert bars(drawing.figure.axes[0]) == [89.0, 71.0]
    assert "at the validator's pick" in drawing.caption


def test_a_pair_that_was_not_run_is_a_dash(series: tuple[Series, ...]) -> None:
    figure = accuracy_bars(series, looks_of(series)).figure
    assert [text.get_text() for text in figure.axes[0].texts] == ["75.0", "82.0"]
    assert [text.get_text() for text in figure.axes[1].texts] == ["96.0", "–"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["DANN", "UNIT"]


def test_a_mean_below_the_axis_is_an_arrow_with_its_number(series: tuple[Series, ...]) -> None:
    axis = accuracy_bars(series, looks_of(series), start=80.0).figure.axes[0]
    assert [text.get_text() for text in axis.texts] == ["◂ 75.0", "82.0"]


def test_an_axis_that_does_not_begin_at_zero_has_points_and_says_so(series: tuple[Series, ...]) -> None:
    assert near_start(series) == 70.0  # Wilson's lower end of 75 % of 400 is 70.5
    drawing = accuracy_bars(series, looks_of(series), start=70.0)
    assert not drawing.figure.axes[0].patches
    assert drawing.figure.axes[0].get_xlim()[0] == 70.0
    assert re.search(r"The axis begins at 70 %\.$", drawing.caption)

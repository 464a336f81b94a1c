"""The measurements of a window, on a CPU and small: the code that a GPU runs, without its capture."""

import math

import pytest
import torch
from precision import equivalence
from window import measure, train_for


def test_a_window_is_measured_on_a_cpu_too() -> None:
    found = measure(torch.device("cpu"), 0.1, width=2, count=128, seeds=2)
    assert found["steps_per_second"] > 0
    assert found["projected_minutes"] == pytest.approx(200_000 / found["steps_per_second"] / 60)
    assert found["seeds_cost"] == pytest.approx(found["steps_per_second"] / found["seeds_steps_per_second"])
    assert math.isnan(found["busy_share"])


def test_each_run_of_a_window_makes_the_same_steps() -> None:
    class Counting:
        def __init__(self) -> None:
            self.steps: list[int] = []

        def make(self, step: int) -> None:
            self.steps.append(step)

        def means(self, count: int) -> None:
            assert count == len(self.steps)

    runs = [Counting(), Counting()]
    made, seconds = train_for(0.0, [], 7)
    assert (made, seconds >= 0) == (0, True)
    made, _ = train_for(0.01, runs, 7)  # type: ignore[arg-type]
    assert runs[0].steps == runs[1].steps == list(range(7, 7 + made))


def test_equal_means_are_equivalent_and_distant_ones_are_not() -> None:
    spread = [78.0, 79.0, 80.0, 81.0, 82.0]
    same = equivalence(spread, [value + 0.1 for value in spread])
    assert same["equivalent"]
    assert same["difference"] == pytest.approx(-0.1)
    assert not equivalence(spread, [value + 5.0 for value in spread])["equivalent"]

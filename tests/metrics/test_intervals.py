import pytest
from scipy.stats import binomtest

from uda.metrics.intervals import wilson_interval


@pytest.mark.parametrize(("right", "n"), [(0, 5), (5, 5), (1, 1), (1954, 2007), (9844, 10_000), (300, 597)])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_it_is_scipys(right: int, n: int, confidence: float) -> None:
    expected = binomtest(right, n).proportion_ci(confidence, method="wilson")
    found = wilson_interval(100 * right / n, n, confidence)
    assert found == pytest.approx((100 * expected.low, 100 * expected.high), abs=1e-9)


def test_by_hand() -> None:
    # p = .5, n = 4, z = 1.96: centre .5, half width 1.96 / 1.9604 * sqrt(.0625 + .060025) = .34996
    assert wilson_interval(50.0, 4) == pytest.approx((15.0, 85.0), abs=0.01)


@pytest.mark.parametrize("arguments", [(101.0, 10), (-0.1, 10), (float("nan"), 10), (50.0, 0), (50.0, 10, 1.0)])
def test_impossible_values_are_errors(arguments: tuple[float, int]) -> None:
    with pytest.raises(ValueError, match="accuracy must be in"):
        wilson_interval(*arguments)

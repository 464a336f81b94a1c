import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from uda.metrics.significance import (
    PairedDifference,
    against_chosen_best,
    average_difference,
    draw_images,
    drawn_accuracies,
    mcnemar,
    paired_bootstrap,
    paired_difference,
)


def bits(*rows: str) -> Tensor:
    return torch.tensor([[letter == "1" for letter in row] for row in rows])


def random_bits(seeds: int, images: int, rate: float, seed: int) -> Tensor:
    return torch.rand(seeds, images, generator=torch.Generator().manual_seed(seed)) < rate


def test_mcnemar_by_hand() -> None:
    # Right in the first alone: 4 images; in the second alone: 1. Twice the chance of at most 1 of 5: 2 (1 + 5) / 32.
    first, second = bits("1111100110")[0], bits("1000010110")[0]
    assert mcnemar(first, second) == mcnemar(second, first) == pytest.approx(12 / 32)


@pytest.mark.parametrize("rates", [(0.5, 0.5), (0.9, 0.93), (0.99, 0.8)])
def test_mcnemar_is_scipys_binomial_test(rates: tuple[float, float]) -> None:
    first, second = random_bits(1, 2007, rates[0], 1)[0], random_bits(1, 2007, rates[1], 2)[0]
    counts = int((first & ~second).sum()), int((second & ~first).sum())
    assert mcnemar(first, second) == pytest.approx(stats.binomtest(counts[0], sum(counts)).pvalue, rel=1e-9)


def test_checkpoints_that_never_differ_are_not_different() -> None:
    one = bits("1101")[0]
    assert mcnemar(one, one) == 1.0


def test_paired_difference_by_hand() -> None:
    first, second = bits("1111", "1110"), bits("0110", "1100")
    # Differences 1 0 0 1 / 0 0 1 0; by seed 1/2, 1/4: variance 1/32, of two 1/64. By image 1/2 0 1/2 1/2: mean 3/8,
    # squares 3/64 + 9/64 = 12/64, variance 1/16, of four 1/64. Sum 1/32; t = (3/8) sqrt(32).
    # Two seeds have one degree of freedom.
    found = paired_difference(first, second)
    assert found.mean == pytest.approx(37.5)
    assert found.error == pytest.approx(100 * (1 / 32) ** 0.5)
    assert found.p == pytest.approx(2 * stats.t.sf(0.375 * 32**0.5, 1))
    back = paired_difference(second, first)
    assert (back.mean, back.error, back.p) == (-found.mean, found.error, found.p)


def test_seeds_that_differ_much_are_a_paired_t_test() -> None:
    shares = [(0.95, 0.60), (0.70, 0.72), (0.90, 0.55)]
    first = torch.stack([random_bits(1, 100_000, share[0], seed)[0] for seed, share in enumerate(shares)])
    second = torch.stack([random_bits(1, 100_000, share[1], 9 + seed)[0] for seed, share in enumerate(shares)])
    expected = stats.ttest_rel(first.double().mean(1).numpy(), second.double().mean(1).numpy())
    assert paired_difference(first, second).p == pytest.approx(expected.pvalue, rel=0.01)


def test_one_seed_is_mcnemars_test_without_exactness() -> None:
    first, second = random_bits(1, 10_000, 0.9, 1), random_bits(1, 10_000, 0.905, 2)
    found = paired_difference(first, second)
    assert found.p == pytest.approx(mcnemar(first[0], second[0]), rel=0.1)
    assert found.freedom == 9_999


def test_equal_methods_are_not_different_and_constant_ones_are() -> None:
    right, wrong = torch.ones(2, 5, dtype=torch.bool), torch.zeros(2, 5, dtype=torch.bool)
    assert paired_difference(right, right).p == 1.0
    assert paired_difference(right, wrong).p == 0.0
    assert paired_difference(right, wrong).mean == 100.0


def test_the_average_of_differences_by_hand() -> None:
    one = paired_difference(bits("1111", "1110"), bits("0110", "1100"))
    two = paired_difference(random_bits(3, 500, 0.8, 1), random_bits(3, 500, 0.7, 2))
    found = average_difference([one, two])
    variances = [(each.error / 2) ** 2 for each in (one, two)]
    error = sum(variances) ** 0.5
    assert (one.freedom, two.freedom, found.freedom) == (1, 2, 1)  # of one pair with two seeds
    assert found.mean == pytest.approx((one.mean + two.mean) / 2)
    assert found.error == pytest.approx(error)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.mean) / error, 1))


def test_the_average_of_one_difference_is_that_and_of_none_is_none() -> None:
    one = paired_difference(bits("1111", "1110"), bits("0110", "1100"))
    alone = average_difference([one])
    assert (alone.mean, alone.error, alone.p) == pytest.approx((one.mean, one.error, one.p))
    right = torch.ones(2, 5, dtype=torch.bool)
    assert average_difference([paired_difference(right, right)] * 2).p == 1.0
    mixed = average_difference([paired_difference(right, right), one])
    assert (mixed.mean, mixed.error, mixed.p) == pytest.approx((one.mean / 2, one.error / 2, one.p))


def noisy(generator: np.random.Generator, spread: float, images: int) -> Tensor:
    """Three seeds of a method that gets half of the images right, more or less from seed to seed."""
    rates = np.clip(0.5 + generator.normal(0, spread, (3, 1)), 0, 1)
    return torch.from_numpy(generator.random((3, images)) < rates)


@pytest.mark.parametrize(("spread", "images"), [(0.0, 200), (0.15, 200), (0.3, 1000)])
def test_equal_methods_are_seldom_called_different_in_the_tail_too(spread: float, images: int) -> None:
    generator = np.random.default_rng(0)
    pairs = ([noisy(generator, spread, images) for _ in range(2)] for _ in range(8_000))
    p_values = [paired_difference(*pair).p for pair in pairs]
    # With Satterthwaite's degrees of freedom a spread of 0.15 has 13 times as many below 0.05 / 50 as there may be.
    for level in (0.05, 0.05 / 50):
        assert sum(p < level for p in p_values) <= 1.5 * level * len(p_values)


def test_an_average_is_seldom_called_different_where_one_pair_varies_most() -> None:
    generator = np.random.default_rng(0)
    true = np.array([1.0, 1.0, 1.0, 10.0])  # standard errors on four pairs, each estimated from three seeds
    errors = true * np.sqrt(generator.chisquare(2, (20_000, 4)) / 2)
    means = true * generator.normal(size=(20_000, 4))
    tables = [
        [PairedDifference(mean, error, 1.0, 2) for mean, error in zip(*each, strict=True)]
        for each in zip(means.tolist(), errors.tolist(), strict=True)
    ]
    # Satterthwaite's degrees of freedom would let 140 through; 20 are nominal.
    assert sum(average_difference(table).p < 1e-3 for table in tables) <= 30


def test_the_best_is_seldom_called_better_than_others_that_are_equal() -> None:
    generator = np.random.default_rng(0)
    called = 0
    for _ in range(300):
        methods = [noisy(generator, 0.3, 2000) for _ in range(12)]
        best = max(methods, key=lambda method: int(method.sum()))
        others = [paired_difference(best, method).p for method in methods if method is not best]
        adjusted = stats.false_discovery_control([against_chosen_best(p, len(methods)) for p in others])
        called += bool((adjusted < 0.05).any())
    assert called <= 15  # 5 % of the tables; 36 where nothing allows for the best being chosen


def test_the_best_of_two_is_not_chosen_and_no_p_exceeds_1() -> None:
    assert against_chosen_best(0.01, 2) == 0.01
    assert against_chosen_best(0.01, 7) == pytest.approx(0.035)  # 21 pairs for 6 comparisons
    assert against_chosen_best(0.4, 7) == 1.0


def test_bootstrap_spreads_as_drawing_seeds_and_images_in_a_loop_does() -> None:
    first, second = random_bits(4, 60, 0.8, 1), random_bits(4, 60, 0.6, 2)
    draws = draw_images(60, 20_000)
    low, high = paired_bootstrap(drawn_accuracies(first, draws), drawn_accuracies(second, draws))
    generator = np.random.default_rng(1)
    difference = first.double().numpy() - second.double().numpy()
    drawn = []
    for _ in range(20_000):
        seeds, images = generator.integers(4, size=4), generator.integers(60, size=60)
        drawn.append(100 * difference[np.ix_(seeds, images)].mean())
    assert (low, high) == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])), abs=0.6)
    assert low < paired_difference(first, second).mean < high


def interval(first: Tensor, second: Tensor, seed: int = 0) -> tuple[float, float]:
    drawn = draw_images(first.shape[1], seed=seed)
    return paired_bootstrap(drawn_accuracies(first, drawn), drawn_accuracies(second, drawn))


def test_bootstrap_gives_the_same_interval_every_time_and_none_where_nothing_varies() -> None:
    first, second = random_bits(3, 200, 0.8, 1), random_bits(3, 200, 0.6, 2)
    assert interval(first, second) == interval(first, second)
    assert interval(first, second) != interval(first, second, seed=1)
    assert interval(first, first) == (0.0, 0.0)


def test_every_draw_has_as_many_images_as_the_test_set() -> None:
    drawn = draw_images(50, 30)
    assert drawn.shape == (30, 50)
    assert drawn.sum(1).tolist() == [50.0] * 30
    assert 0 < (drawn > 1).sum() < (drawn == 0).sum()


def test_accuracy_on_drawn_images_by_hand() -> None:
    correct = bits("110", "100")
    drawn = torch.tensor([[1.0, 1, 1], [0, 3, 0], [2, 0, 1], [3, 0, 0]])
    expected = torch.tensor([[200 / 3, 100, 200 / 3, 100], [100 / 3, 0, 200 / 3, 100]])
    assert torch.allclose(drawn_accuracies(correct, drawn), expected)


@pytest.mark.parametrize(
    ("first", "second"),
    [(bits("11"), bits("111")), (bits("11"), bits("11", "11")), (bits("1"), bits("1")), (bits("11").int(), bits("11"))],
)
def test_what_is_not_paired_is_an_error(first: Tensor, second: Tensor) -> None:
    with pytest.raises(ValueError, match=r"both must be|there must be"):
        paired_difference(first, second)


def test_what_is_not_paired_is_an_error_elsewhere_too() -> None:
    with pytest.raises(ValueError, match=r"both must be \(N,\) bool"):
        mcnemar(bits("11"), bits("11"))
    with pytest.raises(ValueError, match=r"both must be \(S, R\)"):
        paired_bootstrap(torch.ones(2, 5), torch.ones(3, 5))

"""Rank correlations against closed forms, SciPy, and an example worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import pearsonr, rankdata

from uda.evaluation.correlation import regret, spearman, weighted_spearman

RNG = np.random.default_rng(0)
SCORES, ACCURACIES = RNG.normal(size=30).tolist(), RNG.normal(size=30).tolist()


def test_spearman_agrees_with_its_closed_form() -> None:
    difference = rankdata(SCORES) - rankdata(ACCURACIES)
    assert spearman(SCORES, ACCURACIES) == pytest.approx(1 - 6 * np.sum(difference**2) / (30 * (30**2 - 1)))
    assert spearman([1, 2, 3], [10, 30, 20]) == pytest.approx(0.5)


def test_equal_values_share_their_ranks() -> None:
    # ranks 1.5, 1.5, 3 and 1, 2, 3
    assert spearman([1, 1, 2], [10, 20, 30]) == pytest.approx(math.sqrt(3) / 2)


def test_weighted_spearman_of_an_example_worked_by_hand() -> None:
    # weights 1, 4, 9 (over 9); weighted ranks 1, 5, 14 and 1, 14, 10, the mean of both is 10.5
    covariance = 1 * 9.5 * 9.5 - 4 * 5.5 * 3.5 - 9 * 3.5 * 0.5
    first, second = 1 * 9.5**2 + 4 * 5.5**2 + 9 * 3.5**2, 1 * 9.5**2 + 4 * 3.5**2 + 9 * 0.5**2
    assert weighted_spearman([1, 2, 3], [10, 30, 20]) == pytest.approx(covariance / math.sqrt(first * second))


def test_weighted_spearman_with_equal_values_worked_by_hand() -> None:
    # scores 1, 2, 2: dense ranks 1, 2, 2, weights 1, 4, 4 (over 4); the two share the rank 1 + 3 / 2 * 4 = 7
    # accuracies 10, 20, 30: ranks 1, 5, 9; the means are 57 / 9 and 57 / 9
    first, second = np.array([1, 7, 7]) - 57 / 9, np.array([1, 5, 9]) - 57 / 9
    weights = np.array([1, 4, 4])
    expected = np.sum(weights * first * second) / np.sqrt(np.sum(weights * first**2) * np.sum(weights * second**2))
    assert weighted_spearman([1, 2, 2], [10, 20, 30]) == pytest.approx(expected)


def test_weighted_spearman_is_pearsons_among_repeated_items() -> None:
    # weights are squares over 30²: an item of rank r counts r² times
    scores = rankdata(SCORES).astype(int)
    weights = scores**2

    def ranks(values: list[float]) -> np.ndarray:
        return np.array([sum(w for v, w in zip(values, weights, strict=True) if v <= value) for value in values])

    expected = pearsonr(*(np.repeat(ranks(values), weights) for values in (SCORES, ACCURACIES))).statistic
    assert weighted_spearman(SCORES, ACCURACIES) == pytest.approx(expected)


def test_what_scores_high_weighs_most() -> None:
    accuracies = list(range(20))
    wrong_below = [*accuracies[:5][::-1], *accuracies[5:]]
    wrong_above = [*accuracies[:15], *accuracies[15:][::-1]]
    assert spearman(wrong_below, accuracies) == pytest.approx(spearman(wrong_above, accuracies))
    below, above = (weighted_spearman(wrong, accuracies) for wrong in (wrong_below, wrong_above))
    assert below is not None
    assert above is not None
    assert below > 0.99 > above


@pytest.mark.parametrize("correlation", [spearman, weighted_spearman])
def test_order_alone_counts_and_reversal_turns_the_sign(correlation) -> None:
    assert correlation(SCORES, ACCURACIES) == pytest.approx(correlation(np.exp(SCORES).tolist(), ACCURACIES))
    assert correlation(SCORES, SCORES) == pytest.approx(1)
    assert correlation([-math.inf, 1, 2], [10, 20, 30]) == pytest.approx(1)
    # weighted ranks of two orders are no mirror images, so that the weighted one is only near -1
    assert correlation([1, 2, 3], [30, 20, 10]) == pytest.approx(-1, abs=0.005)


@pytest.mark.parametrize("correlation", [spearman, weighted_spearman])
def test_what_cannot_be_ranked_has_no_correlation(correlation) -> None:
    for scores, accuracies in (([], []), ([1], [50]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [50, 50, 50])):
        assert correlation(scores, accuracies) is None


def test_regret_is_what_the_highest_score_loses_and_of_equal_ones_their_mean() -> None:
    for scores, accuracies, lost in (
        ([0.1, 0.3, 0.2], [90, 80, 95], 15),
        ([0.1, 0.3, 0.3], [90, 80, 95], 15 / 2),
        ([0.3, 0.3, 0.3], [95, 80, 89], 7),
        ([float("-inf"), float("-inf")], [95, 85], 5),
    ):
        assert regret(scores, accuracies, accuracies) == lost
        # what may not be chosen is lost too
        assert regret(scores, accuracies, [*accuracies, 97]) == lost + 2
    assert regret([0.3], [95], [95, 99]) is None
    assert regret([], [], [95]) is None

"""How well scores rank what they stand for: rank correlations and the regret of choosing by score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def spearman(scores: Sequence[float], accuracies: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation; None where there are fewer than two, or where all scores or all are equal."""
    if not _can_be_ranked(scores, accuracies):
        return None
    from scipy.stats import spearmanr

    return float(spearmanr(_ranks(scores), _ranks(accuracies)).statistic)


def weighted_spearman(scores: Sequence[float], accuracies: Sequence[float]) -> float | None:
    """Return the weighted rank correlation of Musgrave et al. (2022), in which what scores high weighs most.

    With r_i the dense rank of score i (the lowest is 1, equal scores share it), its weight is w_i = (r_i / max r)².
    The weighted rank of x_i is the sum of w_j over all x_j < x_i, plus (c + 1) / 2 times the mean weight of the c
    values that equal x_i. The result is Pearson's correlation, weighted by w, of the weighted ranks of scores and
    accuracies: 1 for the same order, near -1 for the reverse one. None as for `spearman`.
    """
    if not _can_be_ranked(scores, accuracies):
        return None
    from scipy.stats import rankdata

    dense = rankdata(scores, method="dense")
    weights = (dense / dense.max()) ** 2
    first, second = (_weighted_ranks(values, weights) for values in (scores, accuracies))
    first, second = (ranks - np.average(ranks, weights=weights) for ranks in (first, second))
    together = np.sum(weights * first * second)
    return float(together / np.sqrt(np.sum(weights * first**2) * np.sum(weights * second**2)))


def regret(scores: Sequence[float], accuracies: Sequence[float], compared: Sequence[float]) -> float | None:
    """Return what a user loses who takes the highest score's choice and not the best of all that are compared.

    What a score may not choose, as it has collapsed or trains on the score, may be the best nevertheless. Of equal
    highest scores any may be chosen: the mean of what they lose.

    Parameters
    ----------
    scores, accuracies
        Of what may be chosen.
    compared
        Accuracies of all that are compared, these included: the same for every score, so that regrets compare.

    Returns
    -------
    float or None
        In percentage points, 0 or more; None where fewer than two may be chosen, so that there is no choice.
    """
    if len(scores) < 2:
        return None
    highest = max(scores)
    chosen = [accuracy for score, accuracy in zip(scores, accuracies, strict=True) if score == highest]
    return max(compared) - sum(chosen) / len(chosen)


def _can_be_ranked(scores: Sequence[float], accuracies: Sequence[float]) -> bool:
    return len(set(scores)) > 1 and len(set(accuracies)) > 1


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    # ranks, not values: minus infinity is a score too
    ranks: NDArray[np.float64] = rankdata(values)
    return ranks


def _weighted_ranks(values: Sequence[float], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    _, group, count = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    total = np.bincount(group, weights)
    ranks: NDArray[np.float64] = (np.cumsum(total) - total + (count + 1) / 2 * total / count)[group]
    return ranks

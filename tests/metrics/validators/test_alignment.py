"""The mean discrepancy against scikit-learn's kernels and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist
from sklearn.metrics.pairwise import rbf_kernel

from uda.metrics.validators.alignment import mean_discrepancy

SOURCE, TARGET = torch.randn(2, 90, 6, generator=torch.Generator().manual_seed(0)) * 3
TARGET = TARGET * 1.5 + 1


def _discrepancy(source: np.ndarray, target: np.ndarray) -> float:
    """Write the definition down with scikit-learn's kernels."""
    median = np.median(pdist(np.concatenate([source, target]), "sqeuclidean"))

    def mean(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.mean([rbf_kernel(x, y, gamma=1 / (scale * median)).mean() for scale in (0.25, 0.5, 1, 2, 4)]))

    return mean(source, source) + mean(target, target) - 2 * mean(source, target)


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (1e-6, 0), (1e20, 0), (1, 300)])
def test_it_agrees_with_scikit_learn_on_any_scale(scale: float, shift: float) -> None:
    expected = _discrepancy(SOURCE.double().numpy(), TARGET.double().numpy())
    assert expected > 0.05
    assert mean_discrepancy(scale * SOURCE + shift, scale * TARGET + shift) == pytest.approx(-expected, rel=2e-3)


def test_equal_domains_are_best_and_points_apart_reach_what_the_kernels_give() -> None:
    assert mean_discrepancy(SOURCE, SOURCE) == pytest.approx(0, abs=1e-6)
    # half of the pairs and more are 1 apart: the median is 1, and a pair across the domains has the kernel e^(-1/b)
    source, target = torch.zeros(3, 1), torch.ones(3, 1)
    across = np.mean([np.exp(-1 / scale) for scale in (0.25, 0.5, 1, 2, 4)])
    assert mean_discrepancy(source, target) == pytest.approx(2 * across - 2, rel=1e-5)


def test_features_that_coincide_are_no_success() -> None:
    assert mean_discrepancy(torch.ones(9, 4), torch.ones(9, 4)) == -2


def test_it_looks_at_the_first_thousand() -> None:
    source, target = torch.randn(2, 1100, 3, generator=torch.Generator().manual_seed(1))
    assert mean_discrepancy(source, target) == mean_discrepancy(source[:1000], target[:1000])
    assert mean_discrepancy(source, target) != mean_discrepancy(source[:900], target[:900])

"""Scaling and distances against scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.distance import cdist
from sklearn.preprocessing import StandardScaler

from uda.metrics.validators.features import on_one_scale, squared_distances, standardise

FIRST, SECOND = torch.randn(2, 30, 4, generator=torch.Generator().manual_seed(0)) * 5 + 2


def test_standardised_features_agree_with_scikit_learn() -> None:
    scaler = StandardScaler().fit(FIRST.double().numpy())
    for mine, plain in zip(standardise(FIRST, SECOND), (FIRST, SECOND), strict=True):
        np.testing.assert_allclose(mine.numpy(), scaler.transform(plain.double().numpy()))


def test_a_constant_feature_is_only_shifted() -> None:
    constant, other = standardise(torch.full((7, 1), 0.1), torch.tensor([[0.6]]))
    np.testing.assert_allclose(constant.numpy(), 0, atol=1e-7)
    np.testing.assert_allclose(other.numpy(), 0.5, rtol=1e-6)


def test_distances_agree_with_scipy_up_to_one_scale() -> None:
    np.testing.assert_allclose(squared_distances(FIRST, SECOND).numpy(), cdist(FIRST, SECOND, "sqeuclidean"), rtol=1e-4)
    ratio = squared_distances(*on_one_scale(FIRST, SECOND)).numpy() / cdist(FIRST, SECOND, "sqeuclidean")
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-4)

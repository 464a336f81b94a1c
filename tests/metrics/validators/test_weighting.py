"""Weighted validators against scikit-learn, NumPy, and the risk that they estimate."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.metrics.validators.examples import make_outputs
from uda.metrics.validators.weighting import (
    deep_embedded,
    importance_weighted,
    plain_deep_embedded,
    source_val_weights,
)

OUTPUTS = make_outputs()
LOGITS, LABELS = OUTPUTS["source_val_logits"], OUTPUTS["source_val_labels"]
WEIGHTS = torch.rand(len(LABELS), generator=torch.Generator().manual_seed(1)).double() * 3
P = LOGITS.double().softmax(1).numpy()


def test_weights_are_the_odds_of_a_domain_classifier() -> None:
    source, target, held_out = (
        OUTPUTS[name] for name in ("source_train_features", "target_train_features", "source_val_features")
    )
    target = target[:90]
    classifier = make_pipeline(
        StandardScaler(), LogisticRegression(C=100 / 210, solver="newton-cholesky", tol=1e-10)
    ).fit(np.concatenate([source.numpy(), target.numpy()]).astype(float), [0] * 120 + [1] * 90)
    p = classifier.predict_proba(held_out.numpy().astype(float))
    weights = source_val_weights(source, target, held_out)
    np.testing.assert_allclose(weights.numpy(), p[:, 1] / p[:, 0] * 120 / 90, rtol=1e-2)


def test_weights_are_the_density_ratio_of_two_gaussians() -> None:
    generator = torch.Generator().manual_seed(0)
    source = torch.randn(20_000, 1, generator=generator)
    points = torch.linspace(-1, 1, 9)[:, None]
    ratio = norm.pdf(points.numpy(), loc=0.5)[:, 0] / norm.pdf(points.numpy())[:, 0]
    weights = source_val_weights(source, torch.randn(10_000, 1, generator=generator) + 0.5, points)
    np.testing.assert_allclose(weights.numpy(), ratio, rtol=0.1)


def test_weights_of_domains_far_apart_stay_finite() -> None:
    far = source_val_weights(torch.zeros(5, 2), torch.ones(5, 2), torch.tensor([[1e30, 1e30], [-1e30, -1e30]]))
    np.testing.assert_allclose(far.log().numpy(), [50, -50])


def test_importance_weighted_agrees_with_scikit_learn() -> None:
    expected = accuracy_score(LABELS.numpy(), LOGITS.argmax(1).numpy(), sample_weight=WEIGHTS.numpy())
    assert 0 < expected < 1
    assert importance_weighted(LOGITS, LABELS, WEIGHTS) == pytest.approx(100 * expected)


def test_plain_validation_agrees_with_scikit_learn() -> None:
    expected = log_loss(LABELS.numpy(), P, sample_weight=WEIGHTS.numpy()) * float(WEIGHTS.mean())
    assert plain_deep_embedded(LOGITS, LABELS, WEIGHTS) == pytest.approx(-expected)


def test_control_variate_agrees_with_a_least_squares_fit() -> None:
    # the risk with its best control variate is the height at w = 1 of the line fitted to the weighted losses
    loss = WEIGHTS.numpy() * -np.log(P[np.arange(len(P)), LABELS.numpy()])
    slope, height = np.polyfit(WEIGHTS.numpy(), loss, 1)
    assert deep_embedded(LOGITS, LABELS, WEIGHTS) == pytest.approx(-(slope + height))


def test_weights_of_one_are_plain_validation() -> None:
    ones = torch.ones(len(LABELS), dtype=torch.float64)
    mean = -log_loss(LABELS.numpy(), P)
    assert plain_deep_embedded(LOGITS, LABELS, ones) == pytest.approx(mean)
    assert deep_embedded(LOGITS, LABELS, ones) == pytest.approx(mean)

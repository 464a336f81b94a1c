"""Validators of predictions against SciPy, scikit-learn and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.linalg import svdvals
from scipy.special import softmax
from scipy.stats import entropy as scipy_entropy
from sklearn.metrics import accuracy_score
from sklearn.metrics.pairwise import cosine_similarity

from uda.metrics.validators.predictions import (
    class_correlation,
    confidence_mask,
    diversity,
    entropy,
    information_maximization,
    nuclear_norm,
    source_accuracy,
)

LOGITS = torch.randn(50, 7, generator=torch.Generator().manual_seed(0)) * 2
LABELS = torch.randint(0, 7, (50,), generator=torch.Generator().manual_seed(1))
P = softmax(LOGITS.double().numpy(), axis=1)
SURE_AND_BALANCED = 100 * torch.eye(7)
SURE_OF_ONE = SURE_AND_BALANCED[[3] * 7]


def test_source_accuracy_agrees_with_scikit_learn() -> None:
    assert source_accuracy(LOGITS, LABELS) == pytest.approx(100 * accuracy_score(LABELS, LOGITS.argmax(1)))


def test_entropy_and_diversity_agree_with_scipy() -> None:
    assert entropy(LOGITS) == pytest.approx(-np.mean(scipy_entropy(P, axis=1)))
    assert diversity(LOGITS) == pytest.approx(float(scipy_entropy(P.mean(0))))
    assert information_maximization(LOGITS) == pytest.approx(entropy(LOGITS) + diversity(LOGITS))


def test_information_is_the_mutual_information_of_image_and_class() -> None:
    joint = P / len(P)
    independent = joint.sum(1, keepdims=True) * joint.sum(0)
    assert information_maximization(LOGITS) == pytest.approx(float(scipy_entropy(joint.ravel(), independent.ravel())))
    assert information_maximization(SURE_AND_BALANCED) == pytest.approx(math.log(7))
    assert information_maximization(SURE_OF_ONE) == pytest.approx(0, abs=1e-9)


def test_nuclear_norm_agrees_with_scipy_and_its_bounds() -> None:
    assert nuclear_norm(LOGITS) == pytest.approx(svdvals(P).sum() / 50)
    assert nuclear_norm(SURE_AND_BALANCED) == pytest.approx(1)
    assert nuclear_norm(SURE_OF_ONE) == pytest.approx(1 / math.sqrt(7))
    assert nuclear_norm(torch.zeros(2000, 10)) == pytest.approx(1 / math.sqrt(2000 * 10))  # even: the least there is


def test_class_correlation_agrees_with_scikit_learn_and_its_bounds() -> None:
    expected = cosine_similarity((P.T @ P).reshape(1, -1), np.eye(7).reshape(1, -1))[0, 0]
    assert class_correlation(LOGITS) == pytest.approx(expected)
    assert class_correlation(SURE_AND_BALANCED) == pytest.approx(1)
    assert class_correlation(SURE_OF_ONE) == pytest.approx(1 / math.sqrt(7))
    assert class_correlation(torch.zeros(9, 7)) == pytest.approx(1 / math.sqrt(7))


def test_confidence_mask_counts_probabilities_over_the_threshold() -> None:
    assert confidence_mask(LOGITS) == pytest.approx(100 * np.mean(P.max(1) > 0.968))
    logits = torch.tensor([[math.log(0.97 / 0.03), 0], [math.log(0.96 / 0.04), 0], [0, 9], [0, 0]])
    assert confidence_mask(logits) == 50

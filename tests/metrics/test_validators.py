"""Each validator against SciPy or scikit-learn, and none can be handed target labels."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy as scipy_entropy
from sklearn.metrics import accuracy_score

from uda.errors import UserError
from uda.metrics.validators import (
    VALIDATORS,
    VISIBLE,
    diversity,
    entropy,
    find_validator,
    information_maximization,
    source_accuracy,
    validate,
)

LOGITS = torch.randn(50, 7, generator=torch.Generator().manual_seed(0)) * 2
LABELS = torch.randint(0, 7, (50,), generator=torch.Generator().manual_seed(1))


def test_entropy_and_diversity_agree_with_scipy() -> None:
    p = softmax(LOGITS.double().numpy(), axis=1)
    assert entropy(LOGITS) == pytest.approx(-np.mean(scipy_entropy(p, axis=1)))
    assert diversity(LOGITS) == pytest.approx(float(scipy_entropy(p.mean(0))))
    assert information_maximization(LOGITS) == pytest.approx(entropy(LOGITS) + diversity(LOGITS))


def test_information_is_greatest_for_sure_and_balanced_predictions() -> None:
    sure = 100 * torch.eye(7)
    assert information_maximization(sure) == pytest.approx(np.log(7))
    assert information_maximization(sure[[0, 0, 0]]) == pytest.approx(0, abs=1e-9)


def test_source_accuracy_agrees_with_scikit_learn() -> None:
    assert source_accuracy(LOGITS, LABELS) == pytest.approx(100 * accuracy_score(LABELS, LOGITS.argmax(1)))


def test_each_gets_what_it_names_and_none_can_name_a_target_label() -> None:
    outputs = {"source_val_logits": LOGITS, "source_val_labels": LABELS, "target_train_logits": LOGITS}
    assert set(outputs) == set(VISIBLE)
    assert set(validate(outputs)) == set(VALIDATORS)
    for validator in VALIDATORS.values():
        assert set(inspect.signature(validator).parameters) <= set(VISIBLE)


def test_an_unknown_validator_is_named_with_its_nearest() -> None:
    with pytest.raises(UserError, match="'entropy'"):
        find_validator("entrpy")

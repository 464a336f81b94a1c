"""Reverse validation against scikit-learn's ridge classifier."""

from __future__ import annotations

import pytest
import torch
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import StandardScaler

from tests.metrics.validators.examples import make_outputs
from uda.metrics.validators.reverse import reverse

OUTPUTS = make_outputs()
TARGET, LOGITS = OUTPUTS["target_train_features"], OUTPUTS["target_train_logits"]
SOURCE, LABELS = OUTPUTS["source_val_features"], OUTPUTS["source_val_labels"]


def test_it_agrees_with_scikit_learn() -> None:
    scaler = StandardScaler().fit(TARGET.double().numpy())
    classifier = RidgeClassifier(alpha=0.01 * len(TARGET))
    classifier.fit(scaler.transform(TARGET.double().numpy()), LOGITS.argmax(1).numpy())
    expected = classifier.score(scaler.transform(SOURCE.double().numpy()), LABELS.numpy())
    assert 0.5 < expected < 1
    assert reverse(TARGET, LOGITS, SOURCE, LABELS) == pytest.approx(100 * expected)


def test_one_predicted_class_teaches_only_that_class() -> None:
    one = torch.eye(5)[torch.full((len(TARGET),), 3)]
    assert reverse(TARGET, one, SOURCE, LABELS) == pytest.approx(100 * float((LABELS == 3).double().mean()))

"""Consistency under augmentation against a case worked by hand."""

from __future__ import annotations

import math

import pytest
import torch

from uda.metrics.validators.consistency import consistency


def test_same_class_counts_with_its_confidence_and_another_class_not() -> None:
    first = torch.tensor([[0.8, 0.2], [0.9, 0.1], [0.6, 0.4]]).log()
    second = torch.tensor([[0.5, 0.3], [0.1, 0.9], [0.9, 0.1]]).log()
    # the first row of the second sums to 0.8, so its class has probability 0.625
    expected = (math.sqrt(0.8 * 0.625) + 0 + math.sqrt(0.6 * 0.9)) / 3
    assert consistency(first, second) == pytest.approx(expected)


def test_a_sure_model_that_never_changes_its_mind_gets_one() -> None:
    logits = 100 * torch.eye(4)
    assert consistency(logits, logits) == pytest.approx(1)
    assert consistency(logits, logits.roll(1, 0)) == 0

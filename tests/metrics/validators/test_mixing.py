"""MixVal against shares counted by hand."""

from __future__ import annotations

import pytest
import torch
from sklearn.metrics import accuracy_score

from tests.metrics.validators.examples import make_outputs
from uda.metrics.validators.mixing import mixval


def test_shares_counted_by_hand() -> None:
    logits = torch.eye(2)[[0, 0, 0, 1, 1]]
    partner = torch.tensor([1, 2, 3, 4, 0])
    # alike: images 0, 1 and 3, of which 0 and 3 stay; not alike: 2 and 4, of which 4 stays
    mixed = torch.eye(2)[[0, 1, 1, 1, 1]]
    assert mixval(logits, mixed, partner) == pytest.approx(100 * (2 / 3 + 1 / 2) / 2)


def test_it_agrees_with_scikit_learn() -> None:
    outputs = make_outputs()
    logits, mixed, partner = (outputs[f"target_{name}"] for name in ("train_logits", "mixed_logits", "mixed_partner"))
    predicted, again = logits.argmax(1).numpy(), mixed.argmax(1).numpy()
    alike = predicted == predicted[partner.numpy()]
    expected = (accuracy_score(predicted[alike], again[alike]) + accuracy_score(predicted[~alike], again[~alike])) / 2
    assert 0 < expected < 1
    assert mixval(logits, mixed, partner) == pytest.approx(100 * expected)


def test_a_kind_of_mixture_that_is_not_there_counts_as_nought() -> None:
    one_class, two_classes, swap = torch.eye(2)[[0, 0]], torch.eye(2), torch.tensor([1, 0])
    assert mixval(one_class, one_class, swap) == 50
    assert mixval(two_classes, two_classes, swap) == 50

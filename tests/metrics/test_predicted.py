"""Predicted shares: counted by hand, and a warning where a class has less than a fifth of an even share."""

from __future__ import annotations

import pytest
import torch

from uda.metrics.predicted import predicted_shares, rare_classes, warn_of_rare


def test_shares_are_counted_over_all_classes() -> None:
    logits = torch.tensor([[0.0, 2.0, 1.0, 0.0], [3.0, 2.0, 1.0, 0.0], [0.0, 2.0, 9.0, 0.0], [0.0, 0.1, 0.0, 0.0]])
    assert predicted_shares(logits) == [0.25, 0.5, 0.25, 0.0]


@pytest.mark.parametrize(
    ("shares", "rare"),
    [
        ({"a": 0.5, "b": 0.5}, []),
        ({"a": 0.9, "b": 0.1}, []),  # at a fifth of a half
        ({"a": 0.91, "b": 0.09}, ["b"]),
        ({"a": 0.01, "b": 0.99, "c": 0.0}, ["c", "a"]),
    ],
)
def test_a_class_is_rare_below_a_fifth_of_an_even_share(shares: dict[str, float], rare: list[str]) -> None:
    assert list(rare_classes(shares)) == rare
    assert bool(warn_of_rare(shares)) == bool(rare)


def test_the_warning_names_the_classes_and_their_shares() -> None:
    shares = {"five": 0.989, "six": 0.004, "seven": 0.007}
    assert "six (0.4 %), seven (0.7 %); an even share is 33 %" in warn_of_rare(shares)


def test_runs_from_before_shares_were_logged_warn_of_nothing() -> None:
    assert warn_of_rare({}) == ""

"""Two checkpoints on the same images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from tests.evaluation.examples import write_shapes
from uda.errors import UserError
from uda.evaluation.classify import Classified, classify
from uda.evaluation.compare import compare, describe_comparison
from uda.evaluation.images import Choice


@pytest.fixture(scope="module")
def classified(unit_run: Path) -> Classified:
    return classify(unit_run / "checkpoint.pt", "last", unit_run)


def answering(classified: Classified, right: list[bool]) -> Classified:
    """The same images, classified right where it is said, and as the next class elsewhere."""
    predicted = (classified.labels + ~torch.tensor(right)) % 3
    return replace(classified, logits=torch.eye(3)[predicted])


def test_the_test_looks_at_the_images_that_one_alone_is_right_about(classified: Classified) -> None:
    here = answering(classified, [True] * 20 + [False] * 10)
    there = answering(classified, [False] * 9 + [True] * 13 + [False] * 8)
    found = compare(here, there)
    assert (found.only_this, found.only_other) == (9, 2)
    assert (found.accuracy, found.other_accuracy) == pytest.approx((100 * 20 / 30, 100 * 13 / 30))
    assert found.p == pytest.approx(binomtest(9, 11, 0.5).pvalue)
    text = describe_comparison(found)
    assert "66.67 % here, 43.33 % there, difference +23.33" in text
    assert "right here alone: 9 images; right there alone: 2 images" in text
    assert text.startswith(f"against {classified.path}: UNIT (default), grey.npz → colour.npz")


def test_a_checkpoint_does_not_differ_from_itself(classified: Classified) -> None:
    found = compare(classified, classified)
    assert (found.only_this, found.only_other, found.p) == (0, 0, 1.0)


def test_other_images_are_an_error_even_if_as_many(classified: Classified, tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    other = Choice(write_shapes(path, colour=True, seed=9))
    elsewhere = classify(classified.path, "last", tmp_path, other)
    with pytest.raises(UserError, match=r"a paired test needs the same images; give checkpoints of one pair"):
        compare(classified, elsewhere)
    with np.load(path) as file:
        arrays = dict(file)
    arrays["test_labels"] = np.roll(arrays["test_labels"], 1)
    np.savez(path, **arrays)
    with pytest.raises(UserError, match=r"other\.npz test \(30 images\) .* same images"):
        compare(elsewhere, classify(classified.path, "last", tmp_path, other))

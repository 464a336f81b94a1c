"""Calibration against bins filled by hand, and against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss
from torch import Tensor

from uda.metrics.calibration import brier, expected_calibration_error, negative_log_likelihood, reliability

# Confidences of five predictions among two classes, of which the first and the last are wrong.
CONFIDENCE = torch.tensor([0.6, 0.7, 0.8, 0.9, 0.95], dtype=torch.float64)
PREDICTED = torch.tensor([0, 1, 0, 1, 0])
LABELS = torch.tensor([1, 1, 0, 1, 1])


def logits_of(confidence: Tensor, predicted: Tensor) -> Tensor:
    """Logits of two classes whose softmax has these largest values at these places."""
    largest = torch.log(confidence / (1 - confidence))
    return torch.stack([torch.where(predicted == 0, largest, 0), torch.where(predicted == 1, largest, 0)], 1)


LOGITS = logits_of(CONFIDENCE, PREDICTED)


@pytest.fixture
def drawn() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(7, (500,), generator=generator)
    logits = torch.randn(500, 7, generator=generator)
    logits[torch.arange(500), labels] += 1.5
    return logits, labels


def test_bins_of_equal_width_hold_what_falls_into_them() -> None:
    found = reliability(LOGITS, LABELS, bins=4)  # (0.5, 0.75] holds two, (0.75, 1] three
    assert found.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.counts.tolist() == [0, 0, 2, 3]
    assert found.confidence[:2].isnan().all()
    assert found.accuracy[:2].isnan().all()
    assert found.confidence[2:].tolist() == pytest.approx([0.65, (0.8 + 0.9 + 0.95) / 3])
    assert found.accuracy[2:].tolist() == pytest.approx([1 / 2, 2 / 3])
    # 2/5 |0.5 - 0.65| + 3/5 |2/3 - 2.65/3| = (0.3 + 0.65) / 5
    assert expected_calibration_error(LOGITS, LABELS, bins=4) == pytest.approx(0.19)


def test_bins_of_equal_mass_hold_equally_many() -> None:
    found = reliability(LOGITS, LABELS, bins=2, equal_mass=True)
    assert found.counts.tolist() == [3, 2]
    assert found.edges.tolist() == pytest.approx([0, 0.8, 0.95])
    assert found.confidence.tolist() == pytest.approx([0.7, 0.925])
    assert found.accuracy.tolist() == pytest.approx([2 / 3, 1 / 2])
    # 3/5 |2/3 - 0.7| + 2/5 |1/2 - 0.925| = (0.1 + 0.85) / 5
    assert expected_calibration_error(LOGITS, LABELS, bins=2, equal_mass=True) == pytest.approx(0.19)


def test_an_upper_edge_belongs_to_its_bin_and_certainty_to_the_last() -> None:
    half, sure = torch.zeros(1, 2), torch.tensor([[0.0, 1000.0]])
    label = torch.tensor([1])
    assert reliability(half, label, bins=4).counts.tolist() == [0, 1, 0, 0]
    assert reliability(sure, label, bins=4).counts.tolist() == [0, 0, 0, 1]
    assert expected_calibration_error(sure, label) == 0
    assert expected_calibration_error(sure, 1 - label) == 1


@pytest.mark.parametrize("equal_mass", [False, True])
def test_the_order_of_images_does_not_matter_even_where_confidences_are_equal(equal_mass: bool) -> None:
    confidence = torch.tensor([0.75, 0.75, 0.75, 0.75, 0.75, 0.9], dtype=torch.float64)
    predicted = torch.zeros(6, dtype=torch.int64)
    labels = torch.tensor([0, 1, 1, 1, 0, 0])
    logits = logits_of(confidence, predicted)
    errors = {
        round(expected_calibration_error(logits[order], labels[order], 3, equal_mass=equal_mass), 12)
        for order in (torch.randperm(6, generator=torch.Generator().manual_seed(seed)) for seed in range(10))
    }
    assert len(errors) == 1


@pytest.mark.parametrize(("equal_mass", "strategy"), [(False, "uniform"), (True, "quantile")])
def test_curves_are_scikit_learns(drawn: tuple[Tensor, Tensor], equal_mass: bool, strategy: str) -> None:
    logits, labels = drawn
    confidence, predicted = torch.softmax(logits.double(), 1).max(1)
    found = reliability(logits, labels, 10, equal_mass=equal_mass)
    accuracy, mean = calibration_curve(predicted == labels, confidence, n_bins=10, strategy=strategy)
    filled = found.counts > 0
    assert found.confidence[filled].tolist() == pytest.approx(mean.tolist())
    assert found.accuracy[filled].tolist() == pytest.approx(accuracy.tolist())
    assert int(found.counts.sum()) == 500


def test_scores_are_scikit_learns(drawn: tuple[Tensor, Tensor]) -> None:
    logits, labels = drawn
    probabilities = torch.softmax(logits.double(), 1).numpy()
    assert negative_log_likelihood(logits, labels) == pytest.approx(log_loss(labels, probabilities))
    per_class = [brier_score_loss(labels.numpy() == k, probabilities[:, k]) for k in range(7)]
    assert brier(logits, labels) == pytest.approx(np.sum(per_class))


def test_more_bins_than_images_leave_some_empty() -> None:
    found = reliability(LOGITS, LABELS, bins=8, equal_mass=True)
    assert found.counts.tolist() == [1, 1, 1, 1, 1, 0, 0, 0]
    # each image alone: the gaps are 0.6, 0.3, 0.2, 0.1 and 0.95
    assert expected_calibration_error(LOGITS, LABELS, bins=8, equal_mass=True) == pytest.approx(2.15 / 5)


def test_wrong_input_is_an_error() -> None:
    with pytest.raises(ValueError, match="labels must be"):
        expected_calibration_error(LOGITS, LABELS[:2])
    with pytest.raises(ValueError, match="bins is 0"):
        reliability(LOGITS, LABELS, 0)

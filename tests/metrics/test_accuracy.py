import pytest
import torch

from uda.metrics.accuracy import accuracy, confusion_matrix, per_class_accuracy

# Predictions 0, 1, 1, 2, 0 for labels 0, 1, 2, 2, 1.
LOGITS = torch.tensor([[3.0, 1, 0, 0], [0, 2, 1, 0], [0, 5, 1, 0], [0, 0, 1, 0], [9, 8, 7, 0]])
LABELS = torch.tensor([0, 1, 2, 2, 1])


def test_accuracy_is_the_percentage_of_hits() -> None:
    assert accuracy(LOGITS, LABELS) == 60.0


def test_confusion_counts_true_classes_in_rows() -> None:
    assert confusion_matrix(LOGITS, LABELS).tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]]


def test_per_class_accuracy_has_no_number_for_a_class_without_images() -> None:
    values = per_class_accuracy(LOGITS, LABELS)
    assert values[:3].tolist() == [100.0, 50.0, 50.0]
    assert values[3].isnan()


def test_classes_weighted_by_their_images_give_the_accuracy() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(200, 5, generator=generator), torch.randint(5, (200,), generator=generator)
    weights = torch.bincount(labels, minlength=5).double() / 200
    assert accuracy(logits, labels) == pytest.approx(float((weights * per_class_accuracy(logits, labels)).sum()))


@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        (LOGITS, LABELS[:4]),
        (LOGITS[:0], LABELS[:0]),
        (LOGITS[0], LABELS),
        (LOGITS, LABELS + 3),
        (LOGITS, LABELS - 1),
    ],
)
def test_wrong_shapes_and_labels_are_errors(logits: torch.Tensor, labels: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="labels must be"):
        accuracy(logits, labels)

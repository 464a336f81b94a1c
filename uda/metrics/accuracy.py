"""Accuracy and confusion: functions of a model's logits and the true labels."""

from __future__ import annotations

import torch
from torch import Tensor


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Return the share of images whose largest logit is at their label.

    Parameters
    ----------
    logits
        (N, K), N at least 1.
    labels
        (N,) integers in 0..K-1.

    Returns
    -------
    float
        Percent, 0..100, unrounded.
    """
    check_outputs(logits, labels)
    correct = int((logits.argmax(dim=1) == labels).sum())
    return 100.0 * correct / len(labels)


def per_class_accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the accuracy among the images of each class (the class's recall).

    Parameters
    ----------
    logits
        (N, K).
    labels
        (N,) integers in 0..K-1.

    Returns
    -------
    Tensor
        (K,) float64 in percent; NaN for a class without images.
    """
    counts = confusion_matrix(logits, labels).double()
    return 100.0 * counts.diagonal() / counts.sum(dim=1)


def confusion_matrix(logits: Tensor, labels: Tensor) -> Tensor:
    """Count images by true class and predicted class.

    Parameters
    ----------
    logits
        (N, K).
    labels
        (N,) integers in 0..K-1.

    Returns
    -------
    Tensor
        (K, K) int64; row: true class, column: predicted class.
    """
    check_outputs(logits, labels)
    classes = logits.shape[1]
    cells = labels.long() * classes + logits.argmax(dim=1)
    return torch.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def check_outputs(logits: Tensor, labels: Tensor) -> None:
    """Raise ``ValueError`` unless logits are (N, K), N at least 1, and labels (N,) in 0..K-1."""
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or len(labels) == 0:
        shapes = f"{tuple(logits.shape)} and {tuple(labels.shape)}"
        raise ValueError(f"logits must be (N, K) and labels must be (N,) with N > 0, not {shapes}")
    if int(labels.min()) < 0 or int(labels.max()) >= logits.shape[1]:
        raise ValueError(f"labels must be in 0..{logits.shape[1] - 1}")

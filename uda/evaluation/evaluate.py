"""What a checkpoint is worth on chosen images: accuracy and its intervals, calibration, classes, confusion."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from uda.evaluation.classify import Classified
from uda.metrics.accuracy import accuracy, confusion_matrix, per_class_accuracy
from uda.metrics.calibration import brier, expected_calibration_error, negative_log_likelihood, reliability
from uda.metrics.intervals import wilson_interval

Interval = tuple[float, float]


@dataclass(frozen=True)
class ClassAccuracy:
    """One class: its name, number of images, accuracy among them and its 95 % Wilson interval, both in percent.

    Without images there is neither (None).
    """

    name: str
    n: int
    accuracy: float | None
    interval: Interval | None


@dataclass(frozen=True)
class ReliabilityBin:
    """Images with a confidence in (low, high]: how many, mean confidence and accuracy (shares; None without images)."""

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Calibration:
    """How far the model's confidences can be trusted.

    Attributes
    ----------
    ece, ece_equal_mass
        Expected calibration error over 15 bins of equal width, and of equal mass; shares, 0..1.
    nll
        Negative log-likelihood in nats an image.
    brier
        Brier score, 0..2.
    bins
        Those of equal width.
    """

    ece: float
    ece_equal_mass: float
    nll: float
    brier: float
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True)
class Evaluation:
    """What a checkpoint is worth on chosen images.

    Attributes
    ----------
    method, preset, source, target, protocol, seed
        The run that it comes from.
    weights, step
        Which of its weights, and after which step.
    domain, split, side
        The images, and whose size, channels and networks they went through.
    images
        The same for people.
    accuracy
        Percent, unrounded.
    interval
        95 % Wilson interval of it, in percent: what a test set of this size allows to say.
    n_test
        Number of images.
    calibration
        How far its confidences can be trusted.
    classes
        In label order.
    confusion
        Counts; row: true class, column: predicted class.
    notes
        What must be said beside the number.
    """

    method: str
    preset: str
    source: str
    target: str
    protocol: str
    seed: int
    weights: str
    step: int
    domain: str
    split: str
    side: str
    images: str
    accuracy: float
    interval: Interval
    n_test: int
    calibration: Calibration
    classes: tuple[ClassAccuracy, ...]
    confusion: tuple[tuple[int, ...], ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values only, ready for JSON."""
        return asdict(self)


def evaluate(classified: Classified) -> Evaluation:
    """Evaluate a checkpoint's predictions (see `uda.evaluation.classify.classify`)."""
    config, chosen = classified.loaded.config, classified.chosen
    logits, labels = classified.logits, classified.labels
    percent, confusion = accuracy(logits, labels), confusion_matrix(logits, labels)
    return Evaluation(
        method=config.method,
        preset=config.preset,
        source=config.source,
        target=config.target,
        protocol=config.protocol,
        seed=config.seed,
        weights=classified.weights,
        step=classified.loaded.step,
        domain=chosen.domain,
        split=chosen.split_name,
        side=chosen.side,
        images=chosen.label,
        accuracy=percent,
        interval=wilson_interval(percent, len(labels)),
        n_test=len(labels),
        calibration=calibrate(logits, labels),
        classes=_classes(chosen.split.class_names, logits, labels),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        notes=chosen.notes,
    )


def calibrate(logits: Tensor, labels: Tensor) -> Calibration:
    """Measure the calibration of (N, K) logits against (N,) labels."""
    found = reliability(logits, labels)
    edges = found.edges.tolist()
    columns = zip(
        edges, edges[1:], found.counts.tolist(), found.confidence.tolist(), found.accuracy.tolist(), strict=False
    )
    return Calibration(
        ece=expected_calibration_error(logits, labels),
        ece_equal_mass=expected_calibration_error(logits, labels, equal_mass=True),
        nll=negative_log_likelihood(logits, labels),
        brier=brier(logits, labels),
        bins=tuple(
            ReliabilityBin(low, high, n, *(None if math.isnan(share) else share for share in shares))
            for low, high, n, *shares in columns
        ),
    )


def _classes(names: tuple[str, ...], logits: Tensor, labels: Tensor) -> tuple[ClassAccuracy, ...]:
    """Return each class's accuracy, with its interval."""
    columns = zip(
        names,
        confusion_matrix(logits, labels).sum(dim=1).tolist(),
        per_class_accuracy(logits, labels).tolist(),
        strict=True,
    )
    return tuple(
        ClassAccuracy(name, n, value, wilson_interval(value, n)) if n else ClassAccuracy(name, 0, None, None)
        for name, n, value in columns
    )

"""The two ends of every table: trained on source labels alone, and the ceiling trained on target labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from uda.data.batches import Batch
from uda.data.neutral import added
from uda.errors import UserError
from uda.methods.base import TaskShape, cross_entropy, descend, detached
from uda.methods.classifier import ClassifierConfig, ClassifierMethod


@dataclass(frozen=True)
class SupervisedConfig(ClassifierConfig):
    """Settings of source-only and target-only: those of their backbone and optimiser."""

    backbone: str = added("unit")


class SourceOnly(ClassifierMethod, name="source-only", kind="source-only", config=SupervisedConfig):
    """Train a classifier on source images and labels; never look at the target."""

    label = "Source only"
    summary = "classifier trained on the labelled source alone: what adaptation must beat"

    def __init__(self, config: SupervisedConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.optimiser = self.optimise("classifier", self.backbone, self.head)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend the cross-entropy of the source batch."""
        return self._fit(batch.source_images, batch.source_labels)

    def _fit(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        loss = cross_entropy(self.predict(images), labels)
        descend(self.optimiser, loss)
        return detached(classification=loss)

    @staticmethod
    def reads(task: TaskShape) -> tuple[int, int, int]:
        """Return the shape of the source's images."""
        return task.source_shape


class TargetOnly(SourceOnly, name="target-only", kind="target-only"):
    """Train the same classifier on target images *and labels*: the supervised ceiling, not an adaptation method."""

    label = "Target only"
    summary = "the supervised ceiling: the one method that is given target training labels"
    needs = "target labels, through a door of its own"
    sees_target_labels: ClassVar[bool] = True

    def __init__(self, config: SupervisedConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self._labels: Tensor | None = None

    def receive_target_labels(self, labels: Tensor) -> None:
        """Take the (N,) labels of the target training set, in its order: the explicit door."""
        self._labels = labels

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend the cross-entropy of the target batch."""
        if self._labels is None:
            raise UserError("target-only was not given target labels: call receive_target_labels before update")
        return self._fit(batch.target_images, self._labels[batch.target_index])

    @staticmethod
    def reads(task: TaskShape) -> tuple[int, int, int]:
        """Return the shape of the target's images."""
        return task.target_shape

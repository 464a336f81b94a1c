"""The two ends of every table: trained on source labels alone, and the ceiling trained on target labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from uda.data.batches import Batch
from uda.errors import UserError
from uda.methods.backbones import match_channels
from uda.methods.base import Kind, Method, OptimiserConfig, Outputs, TaskShape, cross_entropy, descend, detached
from uda.unit.networks import Encoder


class Classifier(nn.Module):
    """UNIT's encoder for one domain with the same classifier head as `uda.methods.unit` puts on it.

    Parameters
    ----------
    shape
        (C, S, S) of the images it trains on; others are matched in channels.
    classes
        Number of classes K.
    width
        Width of the encoder, as in UNIT.
    latent
        Dimensions of the code; 0 means 8 times the width.
    standardised
        Whether each image is given zero mean and unit variance first.
    """

    def __init__(
        self, shape: tuple[int, int, int], classes: int, width: int, latent: int, standardised: bool = False
    ) -> None:
        super().__init__()
        latent = latent or 8 * width
        self.channels = shape[0]
        self.encoder = Encoder([shape[0]], shape[1], width, latent, standardised=standardised)
        self.head = nn.Linear(latent, classes)

    def forward(self, images: Tensor) -> Outputs:
        """Map (N, C, S, S) images to (N, latent) codes and (N, K) logits."""
        code: Tensor = self.encoder([(match_channels(images, self.channels), 0)])[0][0]
        return Outputs(code, self.head(code))


@dataclass(frozen=True)
class SupervisedConfig(OptimiserConfig):
    """Settings of source-only and target-only.

    Attributes
    ----------
    width
        Width of the encoder, as in UNIT.
    latent
        Dimensions of the code; 0 means 8 times the width.
    standardised
        Whether each image is given zero mean and unit variance first.
    """

    width: int = 32
    latent: int = 0
    standardised: bool = False


class SourceOnly(Method):
    """Train a classifier on source images and labels; never look at the target."""

    name = "source-only"
    kind: ClassVar[Kind] = "source-only"
    summary = "classifier trained on the labelled source alone: what adaptation must beat"
    Config = SupervisedConfig

    def __init__(self, config: SupervisedConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.classifier = Classifier(self._shape(task), task.classes, config.width, config.latent, config.standardised)
        self.optimiser = self.optimise("classifier", self.classifier)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend the cross-entropy of the source batch."""
        return self._fit(batch.source_images, batch.source_labels)

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return codes and logits of images of either domain."""
        outputs: Outputs = self.classifier(images)
        return outputs

    def _fit(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        loss = cross_entropy(self.classifier(images).logits, labels)
        descend(self.optimiser, loss)
        return detached(classification=loss)

    @staticmethod
    def _shape(task: TaskShape) -> tuple[int, int, int]:
        return task.source_shape


class TargetOnly(SourceOnly):
    """Train the same classifier on target images *and labels*: the supervised ceiling, not an adaptation method."""

    name = "target-only"
    kind = "target-only"
    summary = "the supervised ceiling: the one method that is given target training labels"
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
    def _shape(task: TaskShape) -> tuple[int, int, int]:
        return task.target_shape

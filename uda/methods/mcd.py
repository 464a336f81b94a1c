"""MCD: two classifiers that disagree where the source says nothing, and features that make them agree.

K. Saito, K. Watanabe, Y. Ushiku, T. Harada, "Maximum Classifier Discrepancy for Unsupervised Domain Adaptation", CVPR
2018. Constants are those of the paper's experiments with USPS; a recipe's learning rate, the same for all methods,
stands in place of theirs. For SVHN to MNIST they have classifiers of 2,048 hidden units.

One update makes the paper's training steps A, B and C on one batch, each domain in passes of its own. The prediction is
the mean of both classifiers' logits, which the authors' code reports beside those of each. What differs from that code:
a cosine schedule; the backbones are those of the other methods, so each classifier has one hidden layer with batch
normalisation on their features, as the authors' for SVHN to MNIST, and no dropout; those for USPS have two hidden
layers and dropout before each, the line between features and classifiers being further in front.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from uda.data.batches import Batch
from uda.methods.base import Outputs, TaskShape, cross_entropy, descend, detached
from uda.methods.classifier import ClassifierConfig, ClassifierMethod
from uda.methods.ranges import Count


@dataclass(frozen=True)
class McdConfig(ClassifierConfig):
    """Settings of MCD.

    Attributes
    ----------
    hidden
        Hidden units of each classifier.
    num_k
        The paper's n: how many times the features move in step C.
    """

    learning_rate: float = 2e-4
    weight_decay: float = 5e-4
    hidden: Count = 100
    num_k: Count = 4


class Mcd(ClassifierMethod, name="mcd", kind="adversarial", config=McdConfig):
    """A backbone, the paper's generator, under two classifiers that differ in their first weights alone."""

    summary = "two classifiers pushed to disagree on the target, features pulled to make them agree"
    paper = "Saito et al.: Maximum Classifier Discrepancy for Unsupervised Domain Adaptation, CVPR 2018"

    def __init__(self, config: McdConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.head, self.second_head = (
            classifier(self.backbone.width_out, config.hidden, task.classes) for _ in range(2)
        )
        self.features_optimiser = self.optimise("features", self.backbone)
        self.heads_optimiser = self.optimise("heads", self.head, self.second_head)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Make step A with everything, step B with the classifiers, and ``num_k`` times step C with the features."""
        source, target = self.readable(batch.source_images), self.readable(batch.target_images)
        classification = self._classify(self.backbone(source), batch.source_labels)
        descend(self.features_optimiser, classification, self.heads_optimiser)
        with torch.no_grad():
            source, fixed = self.backbone(source), self.backbone(target)
        raised = self._disagree(fixed)
        descend(self.heads_optimiser, self._classify(source, batch.source_labels) - raised)
        for _ in range(self.config.num_k):
            lowered = self._disagree(self.backbone(target))
            descend(self.features_optimiser, lowered)
        return detached(classification=classification, discrepancy_raised=raised, discrepancy_lowered=lowered)

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return features, and the mean of both classifiers' logits."""
        features = self.backbone(self.readable(images))
        return Outputs(features, (self.head(features) + self.second_head(features)) / 2)

    def _classify(self, features: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(self.head(features), labels) + cross_entropy(self.second_head(features), labels)

    def _disagree(self, features: Tensor) -> Tensor:
        return discrepancy(self.head(features), self.second_head(features))


def classifier(features: int, hidden: int, classes: int) -> nn.Sequential:
    """Build a classifier of (N, F) features with one hidden layer."""
    return nn.Sequential(
        nn.Linear(features, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, classes)
    )


def discrepancy(one: Tensor, other: Tensor) -> Tensor:
    """Mean over images of the distance of two predictions, the paper's d: the mean over classes of |p - q|, in fp32.

    Parameters
    ----------
    one, other
        (N, K) logits.
    """
    return (one.float().softmax(1) - other.float().softmax(1)).abs().mean()

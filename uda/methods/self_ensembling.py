"""Self-ensembling: a student agrees, on target images, with the average of its own past.

G. French, M. Mackiewicz, M. Fisher, "Self-ensembling for visual domain adaptation", ICLR 2018. Section numbers are the
paper's; its mean teacher is that of A. Tarvainen, H. Valpola, NIPS 2017.

As in the authors' code, each domain has a pass of its own, so that batch normalisation sees one domain at a time, and
the teacher's running statistics come from target images alone. What differs: Adam's rate falls to zero along a cosine
instead of staying, and class balance is on for all pairs, where the authors have it on for some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from uda.data.batches import Batch
from uda.methods.base import Outputs, TaskShape, cross_entropy, descend, detached
from uda.methods.classifier import ClassifierConfig, ClassifierMethod
from uda.methods.ranges import Part, Share
from uda.methods.teacher import MeanTeacher, class_balance, consistency


@dataclass(frozen=True)
class SelfEnsemblingConfig(ClassifierConfig):
    """Settings of self-ensembling.

    Attributes
    ----------
    lambda_consistency
        Weight of the target's terms, consistency and class balance, beside the classification of the source.
    balance
        Weight of class balance beside consistency (section 3.4).
    confidence
        From what probability on the teacher is sure, so that an image counts (section 3.2).
    decay
        What stays of the teacher's average at each step.
    """

    standardised: bool = True
    lambda_consistency: float = 3.0
    balance: float = 0.005
    confidence: Part = 0.96837722
    decay: Share = 0.99


class SelfEnsembling(ClassifierMethod, name="self-ensembling", kind="self-training", config=SelfEnsemblingConfig):
    """A student, and the teacher that follows it and classifies target images in the end (figure 1)."""

    label = "Self-ensembling"
    summary = "consistency with a mean teacher on target images that the teacher is sure of"
    paper = "French, Mackiewicz, Fisher: Self-ensembling for visual domain adaptation, ICLR 2018"
    needs = "two views of each target image"
    presets: ClassVar[dict[str, dict[str, Any]]] = {"default": {}, "no-balance": {"balance": 0.0}}

    def __init__(self, config: SelfEnsemblingConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.second_view = True
        self.teacher = MeanTeacher([self.backbone, self.head], config.decay)
        self.optimiser = self.optimise("student", self.backbone, self.head)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Move the student down the sum of its three losses, then the teacher towards it."""
        c = self.config
        classification = cross_entropy(self._student(batch.source_images).logits, batch.source_labels)
        logits = self._student(batch.target_images).logits
        distance, sure = consistency(logits, self._teach(batch), c.confidence)
        balance = class_balance(logits)
        # the share of sure images weighs class balance: the gate of consistency is then one for both
        descend(self.optimiser, classification + c.lambda_consistency * (distance + c.balance * sure * balance))
        self.teacher.follow([self.backbone, self.head])
        return detached(classification=classification, consistency=distance, sure=sure, class_balance=balance)

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return features and logits: the student's of source images, the teacher's of target images."""
        if source:
            return self._student(images)
        backbone, head = self.teacher.networks
        features = backbone(self.readable(images))
        return Outputs(features, head(features))

    def _student(self, images: Tensor) -> Outputs:
        return super().outputs(images)

    @torch.no_grad()
    def _teach(self, batch: Batch) -> Tensor:
        """Return the teacher's (N, K) logits on the second view of the target images."""
        return self.predict(batch.second_view)

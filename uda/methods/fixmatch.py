"""FixMatch: what a model is sure of on a weakly augmented image, it must say of a strongly augmented one too.

K. Sohn, D. Berthelot, C.-L. Li, Z. Zhang, N. Carlini, E. Cubuk, A. Kurakin, H. Zhang, C. Raffel, "FixMatch:
Simplifying Semi-Supervised Learning with Consistency and Confidence", NeurIPS 2020; equation numbers are the paper's.

As a method of domain adaptation the labelled images are the source's and the unlabelled ones the target's, in batches
of one size (mu is 1, not 7). Weak is the run's own augmentation, strong is `strongly_augment` of its second view. What
else differs: Adam instead of momentum, and the weights that classify in the end are those of the last step, not their
moving average, as for all other methods here. With the paper's weight from the first step on, all target images may go
to one class before the source is learned, and then stay there: ``ramp`` lets the weight rise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from uda.data.batches import Batch
from uda.methods.base import TaskShape, cross_entropy, descend, detached
from uda.methods.joint import SelfTrainingConfig, SelfTrainingMethod
from uda.methods.ranges import Part
from uda.methods.strong_augmentation import strongly_augment
from uda.methods.teacher import pseudo_label_loss


@dataclass(frozen=True)
class FixMatchConfig(SelfTrainingConfig):
    """Settings of FixMatch.

    Attributes
    ----------
    lambda_unlabelled
        The paper's lambda_u, the weight of equation (4) beside (3).
    threshold
        The paper's tau: the probability of its class from which on a pseudo-label counts.
    """

    lambda_unlabelled: float = 1.0
    threshold: Part = 0.95


class FixMatch(SelfTrainingMethod, name="fixmatch", kind="self-training", config=FixMatchConfig):
    """A classifier that labels weak views of target images for itself (algorithm 1)."""

    label = "FixMatch"
    summary = "confident predictions on weakly augmented target images label strongly augmented ones"
    paper = "Sohn et al.: FixMatch: Simplifying Semi-Supervised Learning with Consistency and Confidence, NeurIPS 2020"
    needs = "a weak and a strong view of each target image"

    def __init__(self, config: FixMatchConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.second_view = True

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend equation (3) plus lambda_u times equation (4); the two views of the target are read together."""
        views = torch.cat([batch.target_images, strongly_augment(batch.second_view)])
        features, of_views = self.joint_features(replace(batch, target_images=views))
        weak, strong = self.head(of_views).chunk(2)
        classification = cross_entropy(self.head(features), batch.source_labels)
        unlabelled, sure = pseudo_label_loss(strong, weak, self.config.threshold)
        descend(self.optimiser, classification + self.rising(self.config.lambda_unlabelled, step) * unlabelled)
        return detached(classification=classification, unlabelled=unlabelled, sure=sure)

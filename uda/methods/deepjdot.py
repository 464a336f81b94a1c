"""DeepJDOT: features and labels of the source are moved onto features and predictions of the target, ever cheaper.

B. B. Damodaran, B. Kellenberger, R. Flamary, D. Tuia, N. Courty, "DeepJDOT: Deep Joint Distribution Optimal Transport
for Unsupervised Domain Adaptation", ECCV 2018, section 4 and algorithm 1. Constants are those of its digit experiments.

What differs: the plan is made for the very cost that is then descended, as the paper writes, where the authors' code
makes it with squared errors for cross-entropies; batches are not balanced by class, and smaller than the authors' 500;
no source classifier is trained first; Adam's rate falls along a cosine. The authors' features come out of a sigmoid or
tanh, so that their squared distances are bounded; those of the backbones here are not, and alpha weighs the more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from uda.data.batches import Batch
from uda.methods.base import cross_entropy, descend, detached
from uda.methods.distances import squared_distances
from uda.methods.joint import JointConfig, JointMethod
from uda.methods.transport import optimal_plan


@dataclass(frozen=True)
class DeepJdotConfig(JointConfig):
    """Settings of DeepJDOT.

    Attributes
    ----------
    alpha
        What the squared distance between two images' features adds to the cost of moving one onto the other.
    lambda_target
        What the cross-entropy between the source image's label and the target image's prediction adds, lambda_t.
    """

    alpha: float = 0.001
    lambda_target: float = 0.0001


class DeepJdot(JointMethod, name="deepjdot", kind="discrepancy", config=DeepJdotConfig):
    """A backbone and a head; the source's batch is moved onto the target's, at a cost that they then lower."""

    label = "DeepJDOT"
    summary = "cost of optimal transport of source features and labels onto target features and predictions"
    paper = "Damodaran et al.: DeepJDOT, ECCV 2018"
    needs = "the extra ot (POT)"
    waits: ClassVar[bool] = True

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Find the plan for the networks as they are, then descend classification and cost for that plan."""
        source, target = self.joint_outputs(batch)
        classification = cross_entropy(source.logits, batch.source_labels)
        distances = squared_distances(source.features, target.features)
        losses = -torch.log_softmax(target.logits.float(), 1).T[batch.source_labels]
        plan = optimal_plan(self.config.alpha * distances + self.config.lambda_target * losses)
        alignment, transported = (plan * distances).sum(), (plan * losses).sum()
        descend(
            self.optimiser,
            classification + self.config.alpha * alignment + self.config.lambda_target * transported,
        )
        return detached(classification=classification, alignment=alignment, classification_transported=transported)

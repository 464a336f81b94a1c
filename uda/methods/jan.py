"""JAN: features and predictions have one mean embedding in both domains, jointly rather than layer by layer.

M. Long, H. Zhu, J. Wang, M. I. Jordan, "Deep Transfer Learning with Joint Adaptation Networks", ICML 2017, sections 4.1
(joint maximum mean discrepancy) and 4.2 (joint adaptation networks).

What differs: several kernels for the predictions as for the features, where the authors' code has a single one of fixed
bandwidth; all pairs of different images in a batch count, not the paper's linear-time sample, which is unbiased too;
Adam and a cosine schedule. The kernels of a layer are averaged; the authors' code sums the five of the features, so
that its weights, 0.3 to 1, are 1.5 to 5 here. The variant with an adversary (JAN-A) is not here.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from uda.data.batches import Batch
from uda.methods.base import cross_entropy, descend, detached
from uda.methods.joint import JointConfig, JointMethod, risen
from uda.methods.mmd import kernel_matrix, mean_discrepancy


@dataclass(frozen=True)
class JanConfig(JointConfig):
    """Settings of JAN.

    Attributes
    ----------
    lambda_jmmd
        Weight of the joint discrepancy, once the ramp is at its end.
    ramp
        How soon the weight rises to there: 2 / (1 + exp(-ramp p)) - 1 of it at progress p (section 5.1).
    """

    lambda_jmmd: float = 1.0
    ramp: float = 10.0


class Jan(JointMethod, name="jan", kind="discrepancy", config=JanConfig):
    """A backbone and a head; features and predicted probabilities are adapted as one (figure 2)."""

    summary = "joint MMD: the kernel of a pair of images is that of features times that of predictions"
    paper = "Long et al.: Deep Transfer Learning with Joint Adaptation Networks, ICML 2017"

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend classification of the source and, weighed by the ramp, the joint discrepancy."""
        source, target = self.joint_outputs(batch)
        classification = cross_entropy(source.logits, batch.source_labels)
        of_features = kernel_matrix(torch.cat([source.features, target.features]))
        of_predictions = kernel_matrix(torch.softmax(torch.cat([source.logits, target.logits]).float(), 1))
        jmmd = mean_discrepancy(of_features * of_predictions, len(batch.source_images))
        weight = self.config.lambda_jmmd * risen(self.config.ramp, step / self.task.steps)
        descend(self.optimiser, classification + weight * jmmd)
        return detached(classification=classification, jmmd=jmmd)

"""Deep CORAL: logits have the same covariance in both domains.

B. Sun, K. Saenko, "Deep CORAL: Correlation Alignment for Deep Domain Adaptation", ECCV 2016 workshops (TASK-CV).
Equation numbers are the paper's.

What differs: Adam and a cosine schedule instead of momentum. As in the paper the last layer alone is adapted, and the
weight is such that both losses are of one size in the end.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from uda.data.batches import Batch
from uda.methods.base import cross_entropy, descend, detached
from uda.methods.joint import JointConfig, JointMethod


@dataclass(frozen=True)
class DeepCoralConfig(JointConfig):
    """Settings of Deep CORAL.

    Attributes
    ----------
    lambda_coral
        Weight of the distance between covariances, equation (6).
    """

    lambda_coral: float = 1.0


class DeepCoral(JointMethod, name="deepcoral", kind="discrepancy", config=DeepCoralConfig):
    """A backbone and a head, whose logits are adapted (figure 1)."""

    label = "DeepCORAL"
    summary = "distance between the covariances of the domains' logits"
    paper = "Sun, Saenko: Deep CORAL: Correlation Alignment for Deep Domain Adaptation, ECCV workshops 2016"

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend equation (6): classification of the source, and CORAL between the domains."""
        source, target = self.joint_outputs(batch)
        classification = cross_entropy(source.logits, batch.source_labels)
        distance = coral(source.logits, target.logits)
        descend(self.optimiser, classification + self.config.lambda_coral * distance)
        return detached(classification=classification, coral=distance)


def coral(source: Tensor, target: Tensor) -> Tensor:
    """Squared Frobenius norm of the difference of covariances, over 4 d²: equations (1) to (3).

    Parameters
    ----------
    source, target
        (N, d) and (M, d), N and M at least 2.

    Returns
    -------
    Tensor
        Scalar, in fp32.
    """
    difference = covariance(source) - covariance(target)
    return (difference.square().sum() / (4 * source.shape[1] ** 2)).float()


def covariance(rows: Tensor) -> Tensor:
    """Return the unbiased (d, d) covariance of (N, d) rows, in fp64, which neither autocast nor TF32 rounds."""
    centred = rows.double() - rows.double().mean(0)
    return centred.T @ centred / (len(rows) - 1)

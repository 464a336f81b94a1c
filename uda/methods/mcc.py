"""MCC: predictions on target images that confuse no class with another.

Y. Jin, X. Wang, M. Long, J. Wang, "Minimum Class Confusion for Versatile Domain Adaptation", ECCV 2020, section 3.

What differs: Adam and a cosine schedule instead of momentum and inverse decay; entropies are exact, without an epsilon
in the logarithm. As in the authors' code no gradient reaches the weights of the images.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from uda.data.batches import Batch
from uda.methods.base import cross_entropy, descend, detached
from uda.methods.joint import SelfTrainingConfig, SelfTrainingMethod
from uda.methods.ranges import Positive


@dataclass(frozen=True)
class MccConfig(SelfTrainingConfig):
    """Settings of MCC.

    Attributes
    ----------
    temperature
        What logits are divided by first: above 1 it tempers predictions that are too sure.
    lambda_confusion
        Weight of class confusion, the paper's mu.
    """

    temperature: Positive = 2.5
    lambda_confusion: float = 1.0


class Mcc(SelfTrainingMethod, name="mcc", kind="self-training", config=MccConfig):
    """A backbone and a head, whose predictions on target images are made less ambiguous."""

    summary = "least confusion between classes in the predictions on a batch of target images"
    paper = "Jin et al.: Minimum Class Confusion for Versatile Domain Adaptation, ECCV 2020"

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend classification of the source and class confusion of the target."""
        source, target = self.joint_outputs(batch)
        classification = cross_entropy(source.logits, batch.source_labels)
        confusion = class_confusion(target.logits, self.config.temperature)
        descend(self.optimiser, classification + self.rising(self.config.lambda_confusion, step) * confusion)
        return detached(classification=classification, confusion=confusion)


def class_confusion(logits: Tensor, temperature: float) -> Tensor:
    """Share of each class's predictions that goes to other classes in the same images, summed over classes, over K.

    Probability rescaling, class correlation, uncertainty reweighting and category normalisation, in the paper's order.

    Parameters
    ----------
    logits
        (N, K).
    temperature
        Above 0.

    Returns
    -------
    Tensor
        Scalar from 0 to 1, in fp32.
    """
    # fp64 because neither autocast nor TF32 rounds its products
    log_p = torch.log_softmax(logits.double() / temperature, 1)
    p = log_p.exp()
    certainty = 1 + torch.exp((p * log_p).sum(1).detach())  # 1 + exp(-entropy)
    weights = len(p) * certainty / certainty.sum()
    correlation = p.T @ (weights[:, None] * p)
    # a class that no image has any of is confused with none
    confusion = correlation / (correlation.sum(1, keepdim=True) + torch.finfo(torch.float32).eps)
    return ((confusion.sum() - confusion.trace()) / logits.shape[1]).float()

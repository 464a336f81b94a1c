"""BNM: predictions on a batch of target images that are sure and diverse, by the nuclear norm of their matrix.

S. Cui, S. Wang, J. Zhuo, L. Li, Q. Huang, Q. Tian, "Towards Discriminability and Diversity: Batch Nuclear-norm
Maximization under Label Insufficient Situations", CVPR 2020, section 3.

What differs: Adam and a cosine schedule instead of momentum and inverse decay. The norm is divided by the number of
images, as in the paper; the authors' code divides by the number of singular values, so that its weight of 1 is one of
6.4 here, with 64 images and 10 classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from uda.data.batches import Batch
from uda.methods.base import cross_entropy, descend, detached
from uda.methods.entropy import LIKE_SURE_AND_DIVERSE
from uda.methods.joint import SelfTrainingConfig, SelfTrainingMethod
from uda.methods.nuclear_norm import nuclear_norm


@dataclass(frozen=True)
class BnmConfig(SelfTrainingConfig):
    """Settings of BNM.

    Attributes
    ----------
    lambda_bnm
        Weight of the nuclear norm over the number of images.
    """

    lambda_bnm: float = 1.0


class Bnm(SelfTrainingMethod, name="bnm", kind="self-training", config=BnmConfig):
    """A backbone and a head, whose predictions on target images get a large nuclear norm."""

    summary = "largest nuclear norm of the predictions on a batch of target images: sure and diverse"
    paper = "Cui et al.: Batch Nuclear-norm Maximization under Label Insufficient Situations, CVPR 2020"

    @classmethod
    def trains_on(cls, config: BnmConfig) -> tuple[str, ...]:
        """Name the nuclear norm, and the mutual information with its terms, which the same predictions maximise."""
        return LIKE_SURE_AND_DIVERSE if config.lambda_bnm else ()

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend classification of the source, and ascend the nuclear norm of the target's predictions."""
        source, target = self.joint_outputs(batch)
        classification = cross_entropy(source.logits, batch.source_labels)
        norm = nuclear_norm(torch.softmax(target.logits.float(), 1)) / len(target.logits)
        descend(self.optimiser, classification - self.rising(self.config.lambda_bnm, step) * norm)
        return detached(classification=classification, nuclear_norm=norm)

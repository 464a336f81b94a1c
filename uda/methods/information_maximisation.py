"""Information maximisation: predictions on target images that are sure one by one, and diverse together.

Y. Shi, F. Sha, "Information-Theoretical Learning of Discriminative Clusters for Unsupervised Domain Adaptation", ICML
2012; its mutual information of images and predicted classes is that of J. Bridle et al., NIPS 1991.

What differs: the paper learns a linear feature space and a nearest-neighbour classifier; here the same objective moves
a network, beside the cross-entropy of labelled source images, as in later work. SHOT has it without source images.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from uda.data.batches import Batch
from uda.methods.base import cross_entropy, descend, detached
from uda.methods.entropy import LIKE_SURE_AND_DIVERSE, conditional_entropy, marginal_entropy
from uda.methods.joint import SelfTrainingConfig, SelfTrainingMethod


@dataclass(frozen=True)
class InformationMaximisationConfig(SelfTrainingConfig):
    """Settings of information maximisation.

    Attributes
    ----------
    lambda_information
        Weight of the mutual information.
    """

    lambda_information: float = 0.1


class InformationMaximisation(
    SelfTrainingMethod, name="im", kind="self-training", config=InformationMaximisationConfig
):
    """A backbone and a head, whose predictions tell as much as they can of target images."""

    summary = "largest mutual information of target images and their predicted classes: sure and diverse"
    paper = "Shi, Sha: Information-Theoretical Learning of Discriminative Clusters for UDA, ICML 2012"

    @classmethod
    def trains_on(cls, config: InformationMaximisationConfig) -> tuple[str, ...]:
        """Name information maximisation, its two terms, and the nuclear norm, which the same predictions maximise."""
        return LIKE_SURE_AND_DIVERSE if config.lambda_information else ()

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend classification of the source and entropy of the target; ascend diversity of the target."""
        source, target = self.joint_outputs(batch)
        classification = cross_entropy(source.logits, batch.source_labels)
        entropy, diversity = conditional_entropy(target.logits), marginal_entropy(target.logits)
        weight = self.rising(self.config.lambda_information, step)
        descend(self.optimiser, classification + weight * (entropy - diversity))
        return detached(classification=classification, entropy=entropy, diversity=diversity)

"""CDAN and CDAN+E: DANN's game, where the domain classifier sees features together with what is predicted of them.

M. Long, Z. Cao, J. Wang, M. I. Jordan, "Conditional Adversarial Domain Adaptation", NeurIPS 2018.

As in the authors' code, predictions condition the domain classifier without being moved through it, and the sums that
normalise CDAN+E's weights are constants, while the weights themselves play the game, reversed like the features. What
differs from that code: the domain loss is the paper's sum over both domains, not their mean; Adam and a cosine schedule
instead of momentum and steps, and no weight decay; lambda rises over the whole run, as DANN's does, from its first step
on; features and predictions are joined at random wherever the paper says so, which the authors' digit scripts left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from uda.data.batches import Batch
from uda.methods.base import TaskShape, cross_entropy, descend, detached
from uda.methods.conditioning import MultilinearMap
from uda.methods.domain_game import DomainGame, DomainGameConfig, domain_classifier, domain_loss
from uda.methods.ranges import Count
from uda.methods.reversal import reverse_gradient


@dataclass(frozen=True)
class CdanConfig(DomainGameConfig):
    """Settings of CDAN.

    Attributes
    ----------
    hidden
        Hidden units of each of the domain classifier's two hidden layers.
    random_features
        What features and predictions are joined to where their product is too large.
    entropy
        Whether images count in the game by how sure their prediction is: CDAN+E.
    """

    hidden: Count = 500
    random_features: Count = 500
    entropy: bool = False


class Cdan(DomainGame, name="cdan", kind="adversarial", config=CdanConfig):
    """A backbone and head, and a domain classifier of the product of features and predictions (figure 1)."""

    summary = "DANN whose domain classifier sees features times predictions; sure images may count more"
    paper = "Long et al.: Conditional Adversarial Domain Adaptation, NeurIPS 2018"
    presets: ClassVar[dict[str, dict[str, Any]]] = {"default": {}, "entropy": {"entropy": True}}

    def __init__(self, config: CdanConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.join = MultilinearMap(self.backbone.width_out, task.classes, config.random_features)
        self.domain_head = domain_classifier(self.join.width_out, config.hidden, config.hidden, dropout=0.5)
        self.optimiser = self.optimise("all", self.backbone, self.head, self.domain_head)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend the objective of CDAN, or of CDAN+E; lambda weighs what reaches features and head alone."""
        features = self.joint_features(batch)
        sizes = [len(f) for f in features]
        logits = self.head(torch.cat(features)).float()
        classification = cross_entropy(logits[: sizes[0]], batch.source_labels)
        weight = self.weight(step)
        joined = self.join(reverse_gradient(torch.cat(features), weight), logits.detach().softmax(1))
        source, target = torch.split(self.domain_head(joined).squeeze(1), sizes)
        counts = torch.split(certainty(logits, weight), sizes) if self.config.entropy else None
        domain = domain_loss(source, target, counts)
        descend(self.optimiser, classification + domain)
        return detached(classification=classification, domain=domain)


def certainty(logits: Tensor, weight: Tensor) -> Tensor:
    """Return what images count in CDAN+E, w(H) = 1 + exp(-H) of the entropy H of their prediction.

    Parameters
    ----------
    logits
        (N, K), in fp32.
    weight
        The gradient of the entropies is multiplied by minus this.

    Returns
    -------
    Tensor
        (N,), from nearly 1 to 2.
    """
    log_p = logits.log_softmax(1)
    entropies = -(log_p.exp() * log_p).sum(1)
    return 1.0 + torch.exp(-reverse_gradient(entropies, weight))

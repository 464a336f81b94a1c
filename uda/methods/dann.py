"""DANN: features on which a classifier succeeds and a domain classifier fails.

Y. Ganin, E. Ustinova, H. Ajakan, P. Germain, H. Larochelle, F. Laviolette, M. Marchand, V. Lempitsky,
"Domain-Adversarial Training of Neural Networks", JMLR 17 (2016). Equation numbers are the paper's.

What differs from the paper's image experiments (section 5.2.2): Adam and a cosine schedule instead of momentum and
inverse decay; the backbones are those of later papers, whose last layer's features both classifiers read, a linear head
among them, where the paper's networks for these digits have layers of their own for the labels after the game; the
domain classifier is the one that it used for MNIST, one hidden layer of 100, on all pairs, with one logit in place of
two; images are scaled to [-1, 1], not centred on a mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from uda.data.batches import Batch
from uda.methods.base import TaskShape, cross_entropy, descend, detached
from uda.methods.domain_game import DomainGame, DomainGameConfig, domain_classifier, domain_loss
from uda.methods.reversal import reverse_gradient


@dataclass(frozen=True)
class DannConfig(DomainGameConfig):
    """Settings of DANN: those of the game."""


class Dann(DomainGame, name="dann", kind="adversarial", config=DannConfig):
    """A backbone with two heads, of classes and of domains, and the gradient of the second reversed (figure 1)."""

    summary = "domain-adversarial features: the gradient of a domain classifier, reversed"
    paper = "Ganin et al.: Domain-Adversarial Training of Neural Networks, JMLR 2016"

    def __init__(self, config: DannConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.domain_head = domain_classifier(self.backbone.width_out, config.hidden)
        self.optimiser = self.optimise("all", self.backbone, self.head, self.domain_head)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend equation (18), which makes the updates (13) to (15).

        As in section 5.2.2, lambda weighs what reaches the features; the domain classifier itself learns at weight 1.
        """
        source, target = self.joint_features(batch)
        classification = cross_entropy(self.head(source), batch.source_labels)
        reversed_features = reverse_gradient(torch.cat([source, target]), self.weight(step))
        verdicts = self.domain_head(reversed_features).squeeze(1)
        domain = domain_loss(verdicts[: len(source)], verdicts[len(source) :])
        descend(self.optimiser, classification + domain)
        return detached(classification=classification, domain=domain)

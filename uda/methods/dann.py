"""DANN: features on which a classifier succeeds and a domain classifier fails.

Y. Ganin, E. Ustinova, H. Ajakan, P. Germain, H. Larochelle, F. Laviolette, M. Marchand, V. Lempitsky,
"Domain-Adversarial Training of Neural Networks", JMLR 17 (2016). Equation numbers are the paper's.

What differs from the paper's image experiments (section 5.2.2): Adam and a cosine schedule instead of momentum and
inverse decay; the backbones are those of later papers; the domain classifier is the one that it used for MNIST, one
hidden layer of 100, on all pairs, with one logit in place of two; images are scaled to [-1, 1], not centred on a mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uda.data.batches import Batch
from uda.methods.base import TaskShape, added, cross_entropy, descend, detached
from uda.methods.classifier import ClassifierConfig, ClassifierMethod
from uda.methods.reversal import reverse_gradient


@dataclass(frozen=True)
class DannConfig(ClassifierConfig):
    """Settings of DANN.

    Adam's ``beta_1`` is that of UNIT's game: with 0.9, features and domain classifier overshoot each other.

    Attributes
    ----------
    hidden
        Hidden units of the domain classifier.
    lambda_domain
        The weight, lambda, with which the features ascend the domain loss, once the ramp is at its end.
    ramp
        The paper's gamma: how soon lambda rises from 0 to ``lambda_domain``.
    """

    beta_1: float = 0.5
    latent: int = added(0)
    hidden: int = 100
    lambda_domain: float = 1.0
    ramp: float = 10.0


class Dann(ClassifierMethod):
    """A backbone with two heads, of classes and of domains, and the gradient of the second reversed (figure 1)."""

    name = "dann"
    kind = "adversarial"
    summary = "domain-adversarial features: the gradient of a domain classifier, reversed"
    paper = "Ganin et al.: Domain-Adversarial Training of Neural Networks, JMLR 2016"
    Config = DannConfig

    def __init__(self, config: DannConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.domain_head = nn.Sequential(
            nn.Linear(self.backbone.width_out, config.hidden), nn.ReLU(), nn.Linear(config.hidden, 1)
        )
        self.optimiser = self.optimise("all", self.backbone, self.head, self.domain_head)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend equation (18), which makes the updates (13) to (15).

        As in section 5.2.2, lambda weighs what reaches the features; the domain classifier itself learns at weight 1.
        """
        source, target = self.joint_features(batch)
        classification = cross_entropy(self.head(source), batch.source_labels)
        weight = self.weight(step)
        domain = domain_loss(*(self.domain_head(reverse_gradient(f, weight)).squeeze(1) for f in (source, target)))
        descend(self.optimiser, classification + domain)
        return detached(classification=classification, domain=domain)

    def weight(self, step: Tensor) -> Tensor:
        """Return lambda at a step: the paper's 2 / (1 + exp(-gamma p)) - 1 at progress p, times ``lambda_domain``."""
        progress = step / self.task.steps
        weight: Tensor = self.config.lambda_domain * torch.tanh(self.config.ramp * progress / 2)  # the same function
        return weight


def domain_loss(source: Tensor, target: Tensor) -> Tensor:
    """Binomial cross-entropy of telling the domains apart, in nats: what lambda multiplies in equation (10).

    Parameters
    ----------
    source, target
        (N,) and (M,) logits of being a source image.

    Returns
    -------
    Tensor
        Scalar, in fp32: the mean over source images plus the mean over target images; 2 log 2 where nothing tells them
        apart.
    """
    return F.softplus(-source.float()).mean() + F.softplus(target.float()).mean()

"""ALDA: a domain classifier that says how far pseudo-labels can be trusted, and a loss of target images made of that.

M. Chen, S. Zhao, H. Liu, D. Cai, "Adversarial-Learned Loss for Domain Adaptation", AAAI 2020.

As in the authors' code, the adversarial loss is one mean over all images that count, source and target, and its
gradient is reversed on the way to the features. What differs from that code: Adam's beta_1 is that of DANN's game, and
its rate theirs for MNIST to USPS on all pairs (for the others they have 2e-4); all losses count from the first step on
(theirs after two epochs on the source); domains are read together on all pairs (theirs apart from USPS to MNIST); a
cosine schedule for both players instead of steps for one; lambda rises over the whole run; the regularisation reads the
source features in a pass of its own, because it moves the domain classifier alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from uda.data.batches import Batch
from uda.methods.base import TaskShape, cross_entropy, descend, detached
from uda.methods.domain_game import DomainGame, DomainGameConfig, domain_classifier
from uda.methods.ranges import Count, Part
from uda.methods.reversal import reverse_gradient


@dataclass(frozen=True)
class AldaConfig(DomainGameConfig):
    """Settings of ALDA.

    Attributes
    ----------
    hidden
        Hidden units of each of the domain classifier's two hidden layers.
    confidence
        Target images count whose largest probability is above it; the authors have 0.6 for digits, 0.9 for photographs.
    lambda_corrected
        Weight of the corrected loss of target images: 1 in the paper; the authors' code takes the mean over classes
        where the paper has the sum, which is this for ten classes.
    """

    weight_decay: float = 5e-4
    hidden: Count = 500
    confidence: Part = 0.6
    lambda_corrected: float = 0.1


class Alda(DomainGame, name="alda", kind="adversarial", config=AldaConfig):
    """A backbone, a head, and a domain classifier with an output for each class."""

    summary = "adversarial and self-training: a domain classifier learns how pseudo-labels are to be corrected"
    paper = "Chen et al.: Adversarial-Learned Loss for Domain Adaptation, AAAI 2020"

    def __init__(self, config: AldaConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.domain_head = domain_classifier(
            self.backbone.width_out, config.hidden, config.hidden, outputs=task.classes, dropout=0.5
        )
        self.optimiser = self.optimise("all", self.backbone, self.head, self.domain_head)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend the losses of both players: cross-entropy and corrected loss; adversarial loss and regularisation."""
        source, target = self.joint_features(batch)
        features = torch.cat([source, target])
        logits = self.head(features).float()
        n, labels, p = len(source), batch.source_labels, logits.softmax(1)
        predicted = one_hot(logits.argmax(1), logits)
        sure = (p[n:].amax(1) > self.config.confidence).float()
        trust = self.domain_head(reverse_gradient(features, self.weight(step))).float().sigmoid()
        corrected = corrected_labels(predicted, trust)
        terms = {
            "classification": cross_entropy(logits[:n], labels),
            "adversarial": adversarial_loss(corrected, predicted[n:], one_hot(labels, logits), sure),
            "regularisation": cross_entropy(self.domain_head(source.detach()), labels),
            "corrected": corrected_loss(p[n:], corrected[n:].detach(), sure),
        }
        weights = {"corrected": self.config.lambda_corrected}
        descend(self.optimiser, torch.stack([weights.get(name, 1.0) * term for name, term in terms.items()]).sum())
        return detached(**terms, sure=sure.mean())


def one_hot(labels: Tensor, like: Tensor) -> Tensor:
    """Return (N,) labels as (N, K) ones and zeros, K as in ``like`` (M, K)."""
    return (labels.unsqueeze(1) == torch.arange(like.shape[1], device=like.device)).to(like.dtype)


def corrected_labels(predicted: Tensor, trust: Tensor) -> Tensor:
    """Return the corrected pseudo-labels, c: a column of the confusion matrix, that of the class predicted.

    Parameters
    ----------
    predicted
        (N, K), one-hot.
    trust
        (N, K), the paper's xi: for each class, how likely it is right where it is predicted; if it is not, all others
        are alike.
    """
    right = (predicted * trust).sum(1, keepdim=True)
    return predicted * right + (1 - predicted) * (1 - right) / (predicted.shape[1] - 1)


def adversarial_loss(corrected: Tensor, predicted: Tensor, labels: Tensor, sure: Tensor) -> Tensor:
    """Mean binary cross-entropy of corrected labels, summed over classes: right for the source, wrong for the target.

    Parameters
    ----------
    corrected
        (N + M, K) corrected pseudo-labels of source and target images.
    predicted, labels
        (M, K) and (N, K), one-hot: the source's are wanted where its labels are, the target's where its predictions
        are not, all other classes alike.
    sure
        (M,) ones for target images that count, zeros for others; all source images count.
    """
    wanted = torch.cat([labels, (1 - predicted) / (predicted.shape[1] - 1)])
    counts = torch.cat([torch.ones_like(labels[:, 0]), sure])
    yes, no = ((c + 1e-7).log() for c in (corrected, 1 - corrected))
    each = -(wanted * yes + (1 - wanted) * no).sum(1)
    return (each * counts).sum() / counts.sum()


def corrected_loss(p: Tensor, corrected: Tensor, sure: Tensor) -> Tensor:
    """Mean unhinged loss, 1 - p, of (M, K) predictions under corrected labels, over images that are sure (or 0)."""
    return ((1 - (p * corrected).sum(1)) * sure).sum() / sure.sum().clamp_min(1)

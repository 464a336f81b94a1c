"""VADA: DANN's game, and decision boundaries that keep away from images of either domain.

R. Shu, H. H. Bui, H. Narui, S. Ermon, "A DIRT-T Approach to Unsupervised Domain Adaptation", ICLR 2018. Names of losses
are the paper's, constants those of its digit experiments. `uda.methods.dirt_t` is its second stage.

As in the authors' code, players move in turn, the domain classifier first, with inverted labels in place of a reversed
gradient; each domain is normalised by its own batch; running statistics follow target images alone, those that are not
moved; what is evaluated is an average of the weights. What differs from it: both players see the same batch; the domain
loss is the paper's sum over both domains, not their mean; the average forgets faster at first, and running statistics
are averaged with the weights (see `Averages`; theirs are the network's own, which follow it ten times as slowly as
here); the direction of the adversarial move is found 1 away, not 1e-6; the move is as long as the paper's for 3 x 32 x
32 values, and for others so that a value changes as much, however an augmentation has scaled the image before; a cosine
schedule; the backbones are those of the other methods, whose last features the domain classifier reads.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from uda.data.batches import Batch
from uda.methods.averages import Averages
from uda.methods.base import Outputs, TaskShape, cross_entropy, descend, detached
from uda.methods.classifier import ClassifierConfig, ClassifierMethod
from uda.methods.domain_game import domain_classifier, domain_loss
from uda.methods.entropy import conditional_entropy
from uda.methods.ranges import Count, Share
from uda.methods.tracking import untracked
from uda.methods.vat import scaled_radius, virtual_adversarial_loss


@dataclass(frozen=True)
class VadaConfig(ClassifierConfig):
    """Settings of VADA.

    Attributes
    ----------
    hidden
        Hidden units of the domain classifier.
    lambda_domain, lambda_source, lambda_target
        Weights of the domain loss, of the virtual adversarial loss on source images, and of that and the conditional
        entropy on target images.
    radius
        Euclidean length of the adversarial move of an image of 3 x 32 x 32 values in [-1, 1].
    average_decay
        What stays of the averaged weights at each step.
    """

    beta_1: Share = 0.5
    hidden: Count = 100
    lambda_domain: float = 1e-2
    lambda_source: float = 1.0
    lambda_target: float = 1e-2
    radius: float = 3.5
    average_decay: Share = 0.998


class Vada(ClassifierMethod, name="vada", kind="adversarial", config=VadaConfig):
    """A backbone, a head and a domain classifier, and the averages of the first two, which classify in the end."""

    summary = "domain-adversarial features, and predictions that are sure and stay where images are moved a little"
    paper = "Shu et al.: A DIRT-T Approach to Unsupervised Domain Adaptation, ICLR 2018"

    def __init__(self, config: VadaConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.domain_head = domain_classifier(self.backbone.width_out, config.hidden)
        self.averages = Averages(self._students, config.average_decay)
        self.domain_optimiser = self.optimise("domain", self.domain_head)
        self.optimiser = self.optimise("classifier", *self._students)

    @classmethod
    def trains_on(cls, config: VadaConfig) -> tuple[str, ...]:
        """Name the entropy of predictions on target images alone: nothing here makes them diverse."""
        return ("entropy",) if config.lambda_target else ()

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Let the domain classifier descend its loss, then backbone and head the sum of all; average their weights."""
        terms = self._move(batch)
        self.averages.follow(self._students, step)
        return detached(**terms)

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return features and logits of images of either domain, by the averaged networks."""
        backbone, head = self.averages.networks
        features = backbone(self.readable(images))
        return Outputs(features, head(features))

    @property
    def _students(self) -> tuple[nn.Module, nn.Module]:
        """The networks that classify, as they learn."""
        return self.backbone, self.head

    def _read(self, images: Tensor) -> Outputs:
        """Return features and logits by the networks as they are."""
        return super().outputs(images)

    def _move(self, batch: Batch) -> dict[str, Tensor]:
        c = self.config
        target = self._read(batch.target_images)
        with untracked(self.backbone):
            source = self._read(batch.source_images)
            domain = domain_loss(self.domain_head(source.features.detach()), self.domain_head(target.features.detach()))
            descend(self.domain_optimiser, domain)
            terms = {
                "classification": cross_entropy(source.logits, batch.source_labels),
                # each domain passes for the other
                "confusion": domain_loss(self.domain_head(target.features), self.domain_head(source.features)),
                "vat_source": self._vat(batch.source_images, source.logits),
                **self._smooth(batch.target_images, target.logits),
            }
        loss = terms["classification"] + c.lambda_domain * terms["confusion"] + c.lambda_source * terms["vat_source"]
        descend(self.optimiser, loss + c.lambda_target * (terms["vat_target"] + terms["entropy"]))
        return {"domain": domain, **terms}

    def _smooth(self, images: Tensor, logits: Tensor) -> dict[str, Tensor]:
        """Return what keeps boundaries away from target images: L_v and L_c."""
        return {"vat_target": self._vat(images, logits), "entropy": conditional_entropy(logits)}

    def _vat(self, images: Tensor, logits: Tensor) -> Tensor:
        radius = scaled_radius(self.config.radius, images)
        return virtual_adversarial_loss(lambda moved: self._read(moved).logits, images, logits, radius)

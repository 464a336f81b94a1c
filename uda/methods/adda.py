"""ADDA: an encoder of its own for the target, which learns to give features that pass for the source's.

E. Tzeng, J. Hoffman, K. Saenko, T. Darrell, "Adversarial Discriminative Domain Adaptation", CVPR 2017. Names of losses
are the paper's, constants those of the authors' code for SVHN to MNIST.

The source stage trains encoder and classifier on labelled source images. The adversarial stage keeps both as they are,
and trains a target encoder, which begins as the source's, against a domain classifier. What differs from the authors'
code: the domain classifier reads features, as in the paper, where theirs reads class scores and the target has a last
layer of its own; it moves first, and the encoder answers what it has become, not what it was; cosine schedules; no
weight decay; Adam's beta_1 is that of the game in the source stage too; the source stage takes a smaller share of the
steps.

The authors' encoders have neither dropout nor batch normalisation: one map in training and at test time. Where ours
have, both encoders read as at test time in the adversarial stage. So the source's map is kept as it was, the target's
begins as that very map, and the game alone changes it: with statistics of its own batches, it would be adapted before
any game is played, as in `uda.methods.adabn`, and the domain classifier would not see the map that is evaluated.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from uda.data.batches import Batch, Batches
from uda.methods.base import Outputs, TaskShape, cross_entropy, descend, detached
from uda.methods.domain_game import domain_classifier, domain_loss
from uda.methods.ranges import Count, Share
from uda.methods.stages import SourceStageConfig, SourceStageMethod, all_terms


@dataclass(frozen=True)
class AddaConfig(SourceStageConfig):
    """Settings of ADDA.

    Attributes
    ----------
    hidden
        Hidden units of each of the domain classifier's two hidden layers.
    adversarial_rate
        Learning rate of both players of the adversarial stage, as a multiple of that of the source stage: the authors'
        2e-4 and 1e-3.
    """

    beta_1: Share = 0.5
    hidden: Count = 500
    adversarial_rate: float = 0.2


class Adda(SourceStageMethod, name="adda", kind="adversarial", config=AddaConfig):
    """A backbone that becomes the target's, a copy of it that stays the source's, and one head (figure 3)."""

    summary = "source encoder and classifier kept; a target encoder learns to fool a domain classifier"
    paper = "Tzeng et al.: Adversarial Discriminative Domain Adaptation, CVPR 2017"
    needs = "a source stage before its own"

    TERMS = ("classification", "domain", "mapping")

    adapting: Tensor

    def __init__(self, config: AddaConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.source_backbone = copy.deepcopy(self.backbone).requires_grad_(False)
        self.domain_head = domain_classifier(self.backbone.width_out, config.hidden, config.hidden)
        self.register_buffer("adapting", torch.tensor(False))
        rate = config.adversarial_rate
        self.source_optimiser = self.optimise("source", self.backbone, self.head)
        self.target_optimiser = self.optimise("target", self.backbone, rate=rate)
        self.domain_optimiser = self.optimise("domain", self.domain_head, rate=rate)

    def begin_stage(self, stage: int, batches: Batches) -> None:
        """Keep the encoder as the source's before it is adapted."""
        if stage == 1:
            self.source_backbone.load_state_dict(self.backbone.state_dict())
            self.adapting.fill_(True)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend L_cls in the source stage, in the adversarial one L_advD and then L_advM."""
        terms = self._play(batch) if self.stage == 1 else self._learn_source(batch)
        return all_terms(self.TERMS, detached(**terms))

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return features and logits of images; a domain's own encoder reads them once there are two."""
        backbone = self.source_backbone if source and bool(self.adapting) else self.backbone
        features = backbone(self.readable(images))
        return Outputs(features, self.head(features))

    def _learn_source(self, batch: Batch) -> dict[str, Tensor]:
        loss = cross_entropy(self.predict(batch.source_images), batch.source_labels)
        descend(self.source_optimiser, loss)
        return {"classification": loss}

    def _play(self, batch: Batch) -> dict[str, Tensor]:
        """Let the domain classifier tell the encoders apart, then the target encoder pass for the source's."""
        self.source_backbone.eval()
        self.backbone.eval()
        with torch.no_grad():
            source = self.source_backbone(self.readable(batch.source_images))
        target = self.backbone(self.readable(batch.target_images))
        domain = domain_loss(self.domain_head(source), self.domain_head(target.detach()))
        descend(self.domain_optimiser, domain)
        mapping = F.softplus(-self.domain_head(target).float()).mean()  # the inverted label: a source image's
        descend(self.target_optimiser, mapping)
        return {"domain": domain, "mapping": mapping}

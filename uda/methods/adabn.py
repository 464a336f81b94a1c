"""AdaBN: a source classifier whose batch normalisation has statistics of each domain.

Y. Li, N. Wang, J. Shi, J. Liu, X. Hou, "Revisiting Batch Normalization For Practical Domain Adaptation", ICLR 2017
workshops; algorithm 1.

What differs: the target's statistics are running averages over its batches, made beside training just as the source's
are, where the paper makes them of all target images when training is over: so they are there at each evaluation. No
label and no gradient comes from the target either way. A backbone without batch normalisation gets one behind its
features, as the paper's other networks did.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from uda.data.batches import Batch
from uda.methods.backbones import Backbone, NormalisedBackbone
from uda.methods.base import Outputs, TaskShape, cross_entropy, descend, detached
from uda.methods.classifier import ClassifierConfig, ClassifierMethod
from uda.methods.tracking import with_own_buffers


@dataclass(frozen=True)
class AdaBnConfig(ClassifierConfig):
    """Settings of AdaBN: those of its backbone and optimiser; it has none of its own."""


class AdaBn(ClassifierMethod, name="adabn", kind="discrepancy", config=AdaBnConfig):
    """A backbone and a head for both domains, and running statistics for each."""

    label = "AdaBN"
    summary = "source classifier whose batch normalisation has the target's statistics on target images"
    paper = "Li et al.: Revisiting Batch Normalization For Practical Domain Adaptation, ICLR workshops 2017"
    needs = "batch normalisation; a backbone without it gets one"

    def __init__(self, config: AdaBnConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.target_backbone = with_own_buffers(self.backbone)
        self.optimiser = self.optimise("all", self.backbone, self.head)

    def wrap(self, backbone: Backbone) -> Backbone:
        """Put batch normalisation behind a backbone that has none."""
        normalised = any(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in backbone.modules())
        return backbone if normalised else NormalisedBackbone(backbone)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend the cross-entropy of the source, then let the target's statistics follow."""
        loss = cross_entropy(self.predict_source(batch.source_images), batch.source_labels)
        descend(self.optimiser, loss)
        with torch.no_grad():
            self.features(batch.target_images)
        return detached(classification=loss)

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return features and logits of images, normalised with the statistics of their own domain."""
        backbone = self.backbone if source else self.target_backbone
        features = backbone(self.readable(images))
        return Outputs(features, self.head(features))

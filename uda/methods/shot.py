"""SHOT: a source classifier is kept as it is, and features are moved until it is sure of target images.

J. Liang, D. Hu, J. Feng, "Do We Really Need to Access the Source Data? Source Hypothesis Transfer for Unsupervised
Domain Adaptation", ICML 2020. Constants are those of its digit experiments, but for the optimiser's.

The source stage is trained on labelled source images, the target stage on target images alone: it reads no source
image. What differs from the authors' code: Adam and a cosine, anew in each stage, instead of momentum and inverse
decay; no weight decay, where they have 1e-3; the target stage begins from the last step of the source stage, not from
its best one on source test images; the backbones end in a linear layer of their own, in front of the bottleneck;
entropies are exact, without an epsilon; without pseudo-labels (preset ``im``) the target stage has a tenth of the
source stage's rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from uda.data.batches import Batch, Batches
from uda.data.neutral import added
from uda.methods.backbones import Backbone
from uda.methods.base import Outputs, TaskShape, descend, detached
from uda.methods.entropy import LIKE_SURE_AND_DIVERSE
from uda.methods.pseudo_labels import PseudoLabels
from uda.methods.ranges import Count, Part, Positive
from uda.methods.source_free import begins_epoch, label_images, source_free_terms
from uda.methods.stages import SourceStageConfig, SourceStageMethod, all_terms


@dataclass(frozen=True)
class ShotConfig(SourceStageConfig):
    """Settings of SHOT.

    Attributes
    ----------
    bottleneck
        Features that the head reads.
    label_smoothing
        What of each source label is spread over all classes.
    lambda_pseudo
        The paper's beta, the weight of the cross-entropy with pseudo-labels; with 0 it is SHOT-IM.
    target_rate
        Learning rate of the target stage, as a multiple of ``learning_rate``.
    """

    bottleneck: Count = 256
    label_smoothing: Part = 0.1
    lambda_pseudo: float = 0.1
    target_rate: Positive = added(1.0)


class Shot(SourceStageMethod, name="shot", kind="source-free", config=ShotConfig):
    """A backbone, a bottleneck, and a weight-normalised head that stays in the target stage (figure 2)."""

    summary = "source classifier kept; features move until it is sure and diverse on target images"
    paper = "Liang, Hu, Feng: Do We Really Need to Access the Source Data?, ICML 2020"
    needs = "a source stage before its own, which sees no source image"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "default": {},
        # without pseudo-labels, which hold the features near the head, they drift away at the full rate
        "im": {"lambda_pseudo": 0.0, "target_rate": 0.1},
    }

    TERMS = ("classification", "entropy", "diversity", "pseudo_classification")

    def __init__(self, config: ShotConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.bottleneck = nn.Sequential(
            # batch normalisation would subtract a bias again
            nn.Linear(self.backbone.width_out, config.bottleneck, bias=False),
            nn.BatchNorm1d(config.bottleneck),
            nn.Dropout(0.5),
        )
        self.head = weight_norm(nn.Linear(config.bottleneck, task.classes))
        self.pseudo_labels = PseudoLabels()
        self.source_optimiser = self.optimise("source", self.backbone, self.bottleneck, self.head)
        self.target_optimiser = self.optimise("target", self.backbone, self.bottleneck, rate=config.target_rate)

    @classmethod
    def trains_on(cls, config: ShotConfig) -> tuple[str, ...]:
        """Name information maximisation, which the target stage is, and what likes the same predictions."""
        return LIKE_SURE_AND_DIVERSE

    def wrap(self, backbone: Backbone) -> Backbone:
        """Leave out the dropout that the backbone ends in: the bottleneck has one, behind its batch normalisation."""
        backbone.take_dropout()
        return backbone

    def refresh(self, step: int, batches: Batches) -> None:
        """Label all target images anew at the beginning of each epoch of the target stage."""
        if self.stage == 1 and self.config.lambda_pseudo and begins_epoch(step, self.starts[1], batches):
            self.pseudo_labels.keep(label_images(self, batches.target_images))

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend cross-entropy with smoothed labels in the source stage, the full objective in the target stage."""
        terms = self._learn_target(batch) if self.stage == 1 else self._learn_source(batch)
        return all_terms(self.TERMS, detached(**terms))

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return the bottleneck's (N, F) features and logits of images of either domain."""
        features = self.bottleneck(self.backbone(self.readable(images)))
        return Outputs(features, self.head(features))

    def _learn_source(self, batch: Batch) -> dict[str, Tensor]:
        logits = self.predict(batch.source_images).float()
        loss = F.cross_entropy(logits, batch.source_labels, label_smoothing=self.config.label_smoothing)
        descend(self.source_optimiser, loss)
        return {"classification": loss}

    def _learn_target(self, batch: Batch) -> dict[str, Tensor]:
        """Maximise the mutual information of images and predictions (L_ent, L_div), and follow the pseudo-labels."""
        beta = self.config.lambda_pseudo
        labels = self.pseudo_labels.of(batch.target_index) if beta else None
        terms, loss = source_free_terms(self.predict(batch.target_images), labels, beta)
        descend(self.target_optimiser, loss)
        return terms

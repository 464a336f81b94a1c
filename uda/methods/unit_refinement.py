"""UNIT's last stage: the classifier that has adapted goes on with target images alone, as SHOT's does.

J. Liang, D. Hu, J. Feng, "Do We Really Need to Access the Source Data? Source Hypothesis Transfer for Unsupervised
Domain Adaptation", ICML 2020. There a classifier of source images begins the stage, here what UNIT has made of it.

What classifies target images in the end is refined: the mean teacher's trunk, or the averaged one, where there is such,
which follows nobody from then on; else the trunk itself. It moves by the mutual information of images and predictions,
and by pseudo-labels from centroids that are made anew at each epoch. Its head stays. SHOT's mutual information makes
classes even; where a target's are not, their shares as they are predicted when the stage begins can be kept instead.
With a teacher or averages all of the game stays too, so what translated before translates as it did; without, and with
the head on the encoder, images that are translated after this stage have codes that the generators have not learnt.
"""

from __future__ import annotations

import torch
from torch import Tensor

from uda.data.batches import Batch, Batches
from uda.methods.base import TaskShape, descend, detached
from uda.methods.pseudo_labels import PseudoLabels
from uda.methods.source_free import begins_epoch, label_images, predicted_shares, source_free_terms
from uda.methods.stages import steps_of
from uda.methods.unit_classifier import UnitClassifier
from uda.methods.unit_config import UnitConfig


class RefinedClassifier(UnitClassifier):
    """UNIT's classifier, with a last stage where ``refine_share`` is above 0."""

    def __init__(self, config: UnitConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        if config.refine_share:
            trunk, _ = self._judges
            self.pseudo_labels = PseudoLabels()
            self.play_trunk = self.optimise("refinement", trunk.requires_grad_(), rate=config.refine_rate)
            self.class_shares: Tensor | None
            even = None if config.refine_even else torch.full((task.classes,), 1.0 / task.classes)
            self.register_buffer("class_shares", even)

    @property
    def starts(self) -> tuple[int, ...]:
        """UNIT's game begins at 0; its refinement, if there is one, ends the run."""
        share = self.config.refine_share
        return (0, steps_of(1.0 - share, self.task.steps)) if share else (0,)

    def begin_stage(self, stage: int, batches: Batches) -> None:
        """Keep the shares of the classes as they are predicted, where the refinement shall not make them even."""
        if stage == 1 and self.class_shares is not None:
            self.class_shares.copy_(predicted_shares(self, batches.target_images))

    def refresh(self, step: int, batches: Batches) -> None:
        """Label all target images anew at the beginning of each epoch of the refinement."""
        if self.stage == 1 and self.config.refine_pseudo and begins_epoch(step, self.starts[1], batches):
            self.pseudo_labels.keep(label_images(self, batches.target_images))

    def _refine(self, batch: Batch) -> dict[str, Tensor]:
        """Descend SHOT's objective in the trunk."""
        beta = self.config.refine_pseudo
        trunk, head = self._judges
        labels = self.pseudo_labels.of(batch.target_index) if beta else None
        logits = head(self._read(trunk, batch.target_images, 1))
        terms, loss = source_free_terms(logits, labels, beta, self.class_shares)
        descend(self.play_trunk, loss)
        return detached(**terms)

    def _follow(self, step: Tensor) -> None:
        """Let the followers follow, until what classifies is refined."""
        if self.stage != 1:
            super()._follow(step)

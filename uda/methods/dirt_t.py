"""DIRT-T: VADA, and then boundaries that go on moving away from target images, a little at a time.

R. Shu, H. H. Bui, H. Narui, S. Ermon, "A DIRT-T Approach to Unsupervised Domain Adaptation", ICLR 2018.

The first stage is VADA. The second goes on from its weights, without source and domain classifier, and is held near a
teacher, which is what the averaged weights were a while ago. As in the authors' code, those averages go on, so do
Adam's of the gradients, and the teacher reads images without dropout and with its running statistics. What differs from
it: how often the teacher is made anew follows the length of the stage (16 times, the authors' every 5,000 of 80,000
steps); the teacher speaks of the images that the other losses are of, not of a batch of its own; else see
`uda.methods.vada`.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from uda.data.batches import Batch, Batches
from uda.methods.base import TaskShape, descend
from uda.methods.ranges import Count, Share
from uda.methods.stages import all_terms, steps_of
from uda.methods.tracking import untracked
from uda.methods.vada import Vada, VadaConfig
from uda.methods.vat import divergence


@dataclass(frozen=True)
class DirtTConfig(VadaConfig):
    """Settings of DIRT-T: VADA's, and those of its second stage.

    Attributes
    ----------
    lambda_teacher
        The paper's beta: weight of the divergence from the teacher.
    refreshes
        How many times the teacher is made at most, the first time at the beginning of the stage.
    vada_share
        Share of the run's steps that VADA takes.
    """

    lambda_teacher: float = 1e-2
    refreshes: Count = 16
    vada_share: Share = 0.5


class DirtT(Vada, name="dirt-t", config=DirtTConfig):
    """VADA's networks, and a teacher for the second stage."""

    summary = "VADA, then refined on the target alone: boundaries leave dense regions, held by a teacher"
    needs = "a stage of VADA before its own, which sees no source image"

    TERMS = ("domain", "classification", "confusion", "vat_source", "vat_target", "entropy", "teacher")

    def __init__(self, config: DirtTConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.teacher = copy.deepcopy(self.averages.networks)

    @property
    def starts(self) -> tuple[int, ...]:
        """VADA begins at 0, its refinement after VADA's share of the steps."""
        return (0, steps_of(self.config.vada_share, self.task.steps))

    def refresh(self, step: int, batches: Batches) -> None:
        """Make the teacher, at the beginning of the second stage and then at equal distances."""
        begin = self.starts[1]
        distance = math.ceil((self.task.steps - begin) / self.config.refreshes)
        if self.stage == 1 and (step - begin) % distance == 0:
            self.teacher.load_state_dict(self.averages.networks.state_dict())

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all networks but the teacher, which reads as at test time."""
        super().train(mode)
        self.teacher.eval()
        return self

    def _move(self, batch: Batch) -> dict[str, Tensor]:
        terms = self._refine(batch.target_images) if self.stage == 1 else super()._move(batch)
        return all_terms(self.TERMS, terms)

    def _refine(self, images: Tensor) -> dict[str, Tensor]:
        """Descend the objective of the second stage in backbone and head."""
        c, logits = self.config, self._read(images).logits
        with untracked(self.backbone):
            terms = self._smooth(images, logits)
        terms["teacher"] = divergence(self._teach(images), logits)
        loss = c.lambda_target * (terms["vat_target"] + terms["entropy"]) + c.lambda_teacher * terms["teacher"]
        descend(self.optimiser, loss)  # VADA's: gradients are far smaller here, and a fresh Adam would move all at once
        return terms

    @torch.no_grad()
    def _teach(self, images: Tensor) -> Tensor:
        """Return the teacher's (N, K) log-probabilities."""
        backbone, head = self.teacher
        log_p: Tensor = head(backbone(self.readable(images))).float().log_softmax(1)
        return log_p

"""What methods share that compare the features of both domains: how they are read, by which statistics normalised."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from uda.data.batches import Batch
from uda.data.neutral import added
from uda.errors import unknown
from uda.methods.base import Outputs, TaskShape
from uda.methods.classifier import ClassifierConfig, ClassifierMethod
from uda.methods.ranges import Share
from uda.methods.tracking import with_own_buffers


@dataclass(frozen=True)
class JointConfig(ClassifierConfig):
    """Settings of methods that compare the features of both domains.

    Attributes
    ----------
    statistics
        Of batch normalisation: ``"joint"``, over the images of both domains, in training and (running averages) at
        test time, as most implementations do; or ``"per-domain"``, each domain's own, as UNIT has here.
    """

    statistics: str = added("joint")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.statistics not in ("joint", "per-domain"):
            raise unknown("statistics", self.statistics, ("joint", "per-domain"))


@dataclass(frozen=True)
class SelfTrainingConfig(JointConfig):
    """Settings of methods whose classifier learns from its own predictions.

    Attributes
    ----------
    ramp
        Share of the run's steps over which the weight of what it learns from them rises from 0, linearly: before it has
        learnt the source they are mostly wrong. Papers have 0.
    """

    ramp: Share = added(0.0)


def risen(gamma: float, progress: Tensor) -> Tensor:
    """Return DANN's 2 / (1 + exp(-gamma p)) - 1, by which a weight rises from 0 to 1 with the progress p of a run."""
    return torch.tanh(gamma * progress / 2)  # the same function


class JointReader(ClassifierMethod):
    """A backbone and a head that read the images of both domains in one update.

    Attributes
    ----------
    target_backbone
        With per-domain statistics: the same weights, and the target's running statistics. Else None.
    """

    def __init__(self, config: JointConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        per_domain = config.statistics == "per-domain"
        self.target_backbone: nn.Module | None = with_own_buffers(self.backbone) if per_domain else None

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return features and logits of images, normalised with what their domain is normalised with."""
        backbone = self.backbone if source or self.target_backbone is None else self.target_backbone
        features = backbone(self.readable(images))
        return Outputs(features, self.head(features))

    def joint_features(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the features of a batch's source and target images, (N, F) and (M, F).

        From one pass over both with joint statistics, from one pass over each with per-domain ones.
        """
        images = self.readable(batch.source_images), self.readable(batch.target_images)
        if self.target_backbone is not None:
            return self.backbone(images[0]), self.target_backbone(images[1])
        source, target = torch.split(self.backbone(torch.cat(images)), [len(each) for each in images])
        return source, target


class JointMethod(JointReader):
    """A backbone and a head that one optimiser moves: of methods that add a term to the source's cross-entropy."""

    def __init__(self, config: JointConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.optimiser = self.optimise("all", self.backbone, self.head)

    def joint_outputs(self, batch: Batch) -> tuple[Outputs, Outputs]:
        """Return features and logits of a batch's source and target images."""
        source, target = self.joint_features(batch)
        return Outputs(source, self.head(source)), Outputs(target, self.head(target))


class SelfTrainingMethod(JointMethod):
    """A backbone and a head that learn from their own predictions beside the source's labels."""

    def rising(self, weight: float, step: Tensor) -> Tensor | float:
        """Return what a weight that rises has risen to at a step."""
        return weight * (step / (self.config.ramp * self.task.steps)).clamp(max=1.0) if self.config.ramp else weight

"""What methods share that add a term to the source's cross-entropy: one pass over both domains, and one optimiser."""

from __future__ import annotations

from uda.data.batches import Batch
from uda.methods.base import Outputs, TaskShape
from uda.methods.classifier import ClassifierConfig, ClassifierMethod


class JointMethod(ClassifierMethod):
    """A backbone and a head that one optimiser moves."""

    def __init__(self, config: ClassifierConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.optimiser = self.optimise("all", self.backbone, self.head)

    def joint_outputs(self, batch: Batch) -> tuple[Outputs, Outputs]:
        """Return features and logits of a batch's source and target images, from one pass over both."""
        source, target = self.joint_features(batch)
        return Outputs(source, self.head(source)), Outputs(target, self.head(target))

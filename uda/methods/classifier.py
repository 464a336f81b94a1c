"""What most methods are made of: one backbone for both domains, and a linear head that classifies its features."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from uda.data.neutral import added
from uda.errors import UserError
from uda.methods.backbones import Backbone, build_backbone, check_backbone, match_channels
from uda.methods.base import Method, OptimiserConfig, Outputs, TaskShape
from uda.methods.ranges import Count
from uda.unit.networks import standardise


@dataclass(frozen=True)
class ClassifierConfig(OptimiserConfig):
    """Settings of every method with a backbone and a head.

    Attributes
    ----------
    backbone
        ``"unit"``, which UNIT has too, ``"dtn"`` or ``"lenet"``: see `uda.methods.backbones`.
    width
        Channels of the first layer, where the backbone is ``"unit"``.
    latent
        Features that it gives, likewise; 0 means 8 times the width.
    standardised
        Whether each image is given zero mean and unit variance first.
    depth
        How many 3x3 convolutions follow each that halves the map, likewise.
    """

    backbone: str = "unit"
    width: Count = 32
    latent: int = 0
    standardised: bool = False
    depth: int = added(0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_backbone(self.backbone)
        for name, value in (("latent", self.latent), ("depth", self.depth)):
            if value and self.backbone != "unit":
                raise UserError(f"{name} is {value}, but backbone {self.backbone!r} has its own: set it to 0")


class ClassifierMethod(Method):
    """A backbone and a linear head, which read images of either domain.

    Where one domain is grey and the other in colour, grey images are read in colour.
    """

    def __init__(self, config: ClassifierConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        sizes = config.width, config.latent, config.depth
        self.backbone = self.wrap(build_backbone(config.backbone, self.reads(task), *sizes))
        self.head: nn.Module = nn.Linear(self.backbone.width_out, task.classes)

    @staticmethod
    def reads(task: TaskShape) -> tuple[int, int, int]:
        """Return the (C, S, S) of the images that the backbone reads; others are matched to it."""
        return max(task.source_shape, task.target_shape)

    def wrap(self, backbone: Backbone) -> Backbone:
        """Return the backbone with what a method puts behind it: nothing by default."""
        return backbone

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return features and logits of images of either domain."""
        features = self.backbone(self.readable(images))
        return Outputs(features, self.head(features))

    def readable(self, images: Tensor) -> Tensor:
        """Return (N, C, S, S) images as the backbone reads them: its channels, and standardised where that is set."""
        matched = match_channels(images, self.backbone.channels)
        return standardise(matched) if self.config.standardised else matched

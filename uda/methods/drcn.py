"""DRCN: one encoding from which source images are classified and target images drawn again.

M. Ghifary, W. B. Kleijn, M. Zhang, D. Balduzzi, W. Li, "Deep Reconstruction-Classification Networks for Unsupervised
Domain Adaptation", ECCV 2016. Names of losses are the paper's.

What differs from the paper's algorithm 1 and the authors' code: those take an epoch of reconstruction and one of
classification in turn, each with an optimiser of its own; we descend both in one move, since under Adam (as under
RMSprop) the weight of a loss that has moves of its own has no effect, and lambda would say nothing. The decoder is
UNIT's generator for one domain. The reconstruction loss is the mean over an image's values, as in their code; the sum,
as the paper writes it, would leave little to classification. Target images are corrupted as in their code; batch
normalisation, which their networks had not then, takes its statistics over such images.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from uda.data.batches import Batch
from uda.data.neutral import added
from uda.methods.base import TaskShape, cross_entropy, descend, detached
from uda.methods.joint import JointConfig, JointReader
from uda.methods.ranges import Part
from uda.unit.networks import Generator, initialise_generative


@dataclass(frozen=True)
class DrcnConfig(JointConfig):
    """Settings of DRCN.

    Attributes
    ----------
    generator_width
        Channels of the decoder's last hidden layer; 0 means ``width``.
    class_share
        The paper's lambda: the weight of classification; that of reconstruction is 1 minus it.
    corruption
        Probability with which a pixel of a target image is hidden from the encoder.
    plain_game
        Whether target images are drawn as they are before the augmentation changes their intensities, which may take
        them out of what the decoder can draw; it encodes augmented ones in any case.
    """

    generator_width: int = 0
    class_share: Part = 0.7
    corruption: Part = 0.5
    plain_game: bool = added(False)


class Drcn(JointReader, name="drcn", kind="generative", config=DrcnConfig):
    """A backbone, the head that classifies its features, and a decoder that draws images from them (figure 1)."""

    summary = "features that classify source images and reconstruct target images"
    paper = "Ghifary et al.: Deep Reconstruction-Classification Networks for Unsupervised Domain Adaptation, ECCV 2016"

    def __init__(self, config: DrcnConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        channels, size, _ = task.target_shape
        width = config.generator_width or config.width
        self.decoder = Generator([channels], size, width, self.backbone.width_out)
        initialise_generative(self.decoder)
        self.optimiser = self.optimise("all", self.backbone, self.head, self.decoder)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend lambda L_c + (1 - lambda) L_r, of classification and of reconstruction."""
        hidden = replace(batch, target_images=hide_pixels(batch.target_images, self.config.corruption))
        source, target = self.joint_features(hidden)
        classification = cross_entropy(self.head(source), batch.source_labels)
        wanted = batch.placed if self.config.plain_game else batch
        reconstruction = F.mse_loss(self.decoder(target, 0), wanted.target_images)
        weight = self.config.class_share
        descend(self.optimiser, weight * classification + (1.0 - weight) * reconstruction)
        return detached(classification=classification, reconstruction=reconstruction)


def hide_pixels(images: Tensor, share: float) -> Tensor:
    """Blacken each pixel of (N, C, S, S) images, in all its channels, with a probability."""
    seen = (torch.rand_like(images[:, :1]) >= share).float()
    return (images + 1.0) * seen - 1.0

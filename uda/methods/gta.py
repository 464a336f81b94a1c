"""GTA, "generate to adapt": features from which a generator must draw source images, of target images too.

S. Sankaranarayanan, Y. Balaji, C. D. Castillo, R. Chellappa, "Generate To Adapt: Aligning Domains using Generative
Adversarial Networks", CVPR 2018; the update is its algorithm 1, constants those of the authors' code for digits.

Why GTA and not PixelDA: nothing that is drawn is ever classified by the network that predicts. The game reaches the
features through a gradient of small weight, beside a classification loss on true source images, so that where the game
fails what is left is a source classifier. PixelDA trains its classifier on drawn images; where the game confuses two
classes, so does the classifier, and our one-way translation with a class loss is CyCADA's first stage already.

What differs from the authors' code: generator and discriminator are UNIT's, without batch normalisation in the latter;
the head is linear; the features come from a pass over both domains, and the images of both are drawn in one too, so
that the generator's batch statistics are joint, where theirs reads and draws each domain by itself; drawn images weigh
in the discriminator's loss what true ones do, not twice; features and head move together, with images drawn once more
by the generator that has moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from uda.data.batches import Batch
from uda.data.neutral import added
from uda.methods.base import TaskShape, cross_entropy, descend, detached
from uda.methods.discriminator_head import build_class_head
from uda.methods.joint import JointConfig, JointReader
from uda.methods.ranges import Share
from uda.unit import losses
from uda.unit.networks import Discriminator, Generator, initialise_discriminative, initialise_generative


@dataclass(frozen=True)
class GtaConfig(JointConfig):
    """Settings of GTA.

    Attributes
    ----------
    learning_rate, beta_1
        Adam's, the authors' for digits.
    generator_width, discriminator_width
        Channels next to the images in generator and discriminator; 0 means ``width``.
    noise
        Dimensions of the generator's noise.
    lambda_adversarial
        The weight, alpha, with which the class of what is drawn from source features moves the features.
    lambda_target
        Beside that, the weight of what is drawn from target features being taken for a source image.
    plain_game
        Whether drawn images are told from source images as they are before the augmentation changes their intensities,
        which may take them out of what the generator can draw. The features are those of augmented images in any case.
    """

    learning_rate: float = 5e-4
    beta_1: Share = 0.8
    generator_width: int = 0
    discriminator_width: int = 0
    noise: int = 512
    lambda_adversarial: float = 0.1
    lambda_target: float = 0.3
    plain_game: bool = added(False)


class Gta(JointReader, name="gta", kind="generative", config=GtaConfig):
    """A backbone and a head, and an auxiliary-classifier GAN whose generator reads the features (figure 2)."""

    summary = "features, of either domain, from which source images can be drawn in their class"
    paper = (
        "Sankaranarayanan et al.: Generate To Adapt: Aligning Domains using Generative Adversarial Networks, CVPR 2018"
    )

    def __init__(self, config: GtaConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        channels, size, _ = task.source_shape
        latent = self.backbone.width_out + task.classes + 1 + config.noise
        self.generator = Generator([channels], size, config.generator_width or config.width, latent)
        self.discriminator = Discriminator([channels], size, config.discriminator_width or config.width, dropout=False)
        initialise_generative(self.generator)
        initialise_discriminative(self.discriminator)
        self.class_head = build_class_head(self.discriminator, task.classes)
        self.play_d = self.optimise("discriminator", self.discriminator, self.class_head)
        self.play_g = self.optimise("generator", self.generator)
        self.play_f = self.optimise("features", self.backbone, self.head)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Make the moves of algorithm 1: discriminator, generator, then features and head."""
        features = self.joint_features(batch)
        labels = batch.source_labels
        drawn = self._draw(features[0].detach(), features[1].detach(), labels)
        played = batch.placed if self.config.plain_game else batch
        terms = self._move_discriminator(played.source_images, labels, drawn.detach())
        terms |= self._move_generator(drawn[: len(labels)], labels)
        return detached(**terms, **self._move_features(*features, labels))

    def _draw(self, source: Tensor, target: Tensor, labels: Tensor) -> Tensor:
        """Draw an image from each feature, its class (target features have their own) and noise: (2N, C, S, S)."""
        classes = torch.arange(self.task.classes + 1, device=labels.device)
        of_source = (labels[:, None] == classes).float()
        of_target = (classes == self.task.classes).float().expand(len(target), -1)
        noise = torch.randn(len(source) + len(target), self.config.noise, device=labels.device)
        codes = torch.cat([torch.cat([source, target]).float(), torch.cat([of_source, of_target]), noise], 1)
        images: Tensor = self.generator(codes, 0)
        return images

    def _judge(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the discriminator's (N, 2) verdicts and (N, K) class logits on images in the source domain."""
        features = self.discriminator.features([(images, 0)])[0]
        return self.discriminator.judge(features, [len(images)])[0], self.class_head(features.flatten(1))

    def _move_discriminator(self, images: Tensor, labels: Tensor, drawn: Tensor) -> dict[str, Tensor]:
        """Tell source images from drawn ones, and learn the classes of source images."""
        verdicts, classes = self._judge(torch.cat([images, drawn]))
        gan = losses.gan_discriminator(verdicts[: len(images)], verdicts[len(images) :], 1.0)
        auxiliary = cross_entropy(classes[: len(images)], labels)
        descend(self.play_d, gan + auxiliary)
        return {"gan_discriminator": gan, "auxiliary": auxiliary}

    def _move_generator(self, drawn: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Let what is drawn from source features be taken for a source image of its class."""
        verdicts, classes = self._judge(drawn)
        gan, auxiliary = losses.gan_generator(verdicts, 1.0), cross_entropy(classes, labels)
        descend(self.play_g, gan + auxiliary)
        return {"gan_generator": gan, "auxiliary_generator": auxiliary}

    def _move_features(self, source: Tensor, target: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Classify source images, and let drawn ones have their class or be taken for source images."""
        classification = cross_entropy(self.head(source), labels)
        verdicts, classes = self._judge(self._draw(source, target, labels))
        auxiliary = cross_entropy(classes[: len(labels)], labels)
        confusion = losses.gan_generator(verdicts[len(labels) :], 1.0)
        c = self.config
        descend(self.play_f, classification + c.lambda_adversarial * (auxiliary + c.lambda_target * confusion))
        return {"classification": classification, "auxiliary_features": auxiliary, "confusion": confusion}

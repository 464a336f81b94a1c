"""CoGAN: two GANs that draw pairs of images from one noise, and a classifier on their discriminators' shared features.

M.-Y. Liu, O. Tuzel, "Coupled Generative Adversarial Networks", NIPS 2016; the game is that of its value function V, the
classifier that of its application to domain adaptation. It is UNIT without encoders, and made of UNIT's generators and
discriminators. As in the authors' code, the game counts as the mean over both domains, not their sum.

What differs from the authors' PyTorch code for digits: those networks are UNIT's (transposed convolutions of other
sizes, two last layers of the generators for each domain instead of one, padded blocks with ReLU as discriminators);
both moves see the same images; Adam's rate falls along a cosine, and there is no weight decay; discriminators share
their first layer too. The preset ``cogan-2016`` takes the last three back, and has the authors' LeNet discriminators,
but for their parametric ReLU behind the last layer and none before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from uda.data.batches import Batch
from uda.data.neutral import added
from uda.errors import unknown
from uda.methods.base import Method, OptimiserConfig, Outputs, TaskShape, cross_entropy, descend, detached
from uda.methods.discriminator_head import build_class_head, read_images
from uda.methods.ranges import Count, Share
from uda.unit import losses
from uda.unit.networks import Discriminator, Generator, initialise_discriminative, initialise_generative
from uda.unit.trunk import TRUNKS

#: Weight of the game in each domain, beside which the lambdas are the authors'.
HALF = 0.5


@dataclass(frozen=True)
class CoganConfig(OptimiserConfig):
    """Settings of CoGAN; the rates, ``beta_1`` and the lambdas are the authors'.

    Attributes
    ----------
    width, generator_width, discriminator_width
        As UNIT has them: channels of the generators' last hidden layer and of the discriminators' first one; 0 for the
        latter two means ``width``.
    latent
        Dimensions of the noise.
    own_first
        Whether the first layer of the discriminators is each domain's own, as in the paper; else it is shared too,
        where the domains have equal channels. The target's own one learns from the game alone, which takes long.
    dropout
        Whether the discriminators drop out.
    lambda_class
        Weight of the cross-entropy on labelled source images.
    lambda_features
        Weight of the squared distance between the discriminators' features of the two images of a pair.
    discriminator_trunk
        What the discriminators are made of, as UNIT has it: ``"blocks"`` or ``"lenet"``.
    plain_game
        Whether drawn images are told from real ones as they are before the augmentation changes their intensities,
        which may take them out of what the generators can draw. The augmented source images, which are classified, then
        go through the discriminator beside them.
    """

    learning_rate: float = 2e-4
    beta_1: Share = 0.5
    width: Count = 32
    generator_width: int = 0
    discriminator_width: int = 0
    latent: Count = 100
    own_first: bool = False
    dropout: bool = False
    lambda_class: float = 10.0
    lambda_features: float = 0.01
    discriminator_trunk: str = added("blocks")
    plain_game: bool = added(False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.discriminator_trunk not in TRUNKS:
            raise unknown("discriminator_trunk", self.discriminator_trunk, TRUNKS)


class Cogan(Method, name="cogan", kind="generative", config=CoganConfig):
    """Coupled generators and discriminators that share all but the layers next to the images (figure 1)."""

    label = "CoGAN"
    summary = "coupled GANs with shared layers, and a classifier on their discriminators"
    paper = "Liu, Tuzel: Coupled Generative Adversarial Networks, NIPS 2016"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "default": {},
        "cogan-2016": {
            "schedule": "constant",
            "weight_decay": 5e-4,
            "width": 64,
            "discriminator_width": 20,
            "discriminator_trunk": "lenet",
            "own_first": True,
            "steps": 10_000,
            "batch_size": 64,
            "evaluate_every": 500,
            "augmentation": {},
        },
    }

    def __init__(self, config: CoganConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        channels, size = (task.source_shape[0], task.target_shape[0]), task.source_shape[1]
        self.generator = Generator(channels, size, config.generator_width or config.width, config.latent)
        own_first = config.own_first or len(set(channels)) > 1
        self.discriminator = Discriminator(
            channels,
            size,
            config.discriminator_width or config.width,
            config.dropout,
            own_first,
            trunk=config.discriminator_trunk,
        )
        initialise_generative(self.generator)
        initialise_discriminative(self.discriminator)
        self.head = build_class_head(self.discriminator, task.classes)
        self.play_d = self.optimise("discriminator", self.discriminator, self.head)
        self.play_g = self.optimise("generator", self.generator)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Play one round: the discriminators and the class head move first, then the generators."""
        noise = torch.randn(len(batch.source_images), self.config.latent, device=batch.source_images.device)
        h = self.generator.high(noise)
        pair = self.generator.low(h, 0), self.generator.low(h, 1)
        terms = self._move_discriminators(batch, *(images.detach() for images in pair))
        verdicts = self.discriminator([(images, domain) for domain, images in enumerate(pair)])
        terms["gan_generator"] = losses.objective(*(losses.gan_generator(v, HALF) for v in verdicts))
        descend(self.play_g, terms["gan_generator"])
        return detached(**terms)

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return the features of a domain's discriminator, (N, F), and the head's logits."""
        features = read_images(self.discriminator, images, 0 if source else 1)
        return Outputs(features, self.head(features))

    def _move_discriminators(self, batch: Batch, drawn_1: Tensor, drawn_2: Tensor) -> dict[str, Tensor]:
        """Ascend V in the discriminators; descend classification and the distance of pairs' features."""
        c = self.config
        played = batch.placed if c.plain_game else batch
        parts = [(batch.source_images, 0)] if c.plain_game else []
        parts += [(played.source_images, 0), (played.target_images, 1), (drawn_1, 0), (drawn_2, 1)]
        sizes = [len(images) for images, _ in parts]
        features, paired = self.discriminator.features(parts, pairs=2)
        real_1, real_2, fake_1, fake_2 = self.discriminator.judge(features, sizes)[-4:]
        gan = losses.gan_discriminator(real_1, fake_1, HALF) + losses.gan_discriminator(real_2, fake_2, HALF)
        matching = losses.feature_matching(*torch.split(paired, sizes[-2:]))
        source = torch.split(features.flatten(1), sizes)[0]
        classification = cross_entropy(self.head(source), batch.source_labels)
        descend(self.play_d, gan + c.lambda_class * classification + c.lambda_features * matching)
        return {"gan_discriminator": gan, "feature_matching": matching, "classification": classification}

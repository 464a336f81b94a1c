"""CyCADA: a classifier for source images that are drawn in the target domain without losing their class.

J. Hoffman, E. Tzeng, T. Park, J.-Y. Zhu, P. Isola, K. Saenko, A. Efros, T. Darrell, "CyCADA: Cycle-Consistent
Adversarial Domain Adaptation", ICML 2018. Equation numbers are the paper's; constants those of the authors' digit code,
but for learning rates.

Three stages, as the authors train it: a CycleGAN with semantic consistency, beside the source classifier that judges
it; the classifier learns translated source images; a copy of it moves until its scores on target images cannot be told
from those on translated source images. What differs from the authors' code:

- The classifier of the second stage is that of the first, which learns on; theirs begins anew. So is what this method
  predicts in the first stage: the source classifier's.
- Discriminators are UNIT's, and judge whole images by the loss of equation (2); theirs judge patches, by squares, with
  a pool of earlier translations.
- While it judges semantics, the classifier uses its running statistics, and it does not drop out.
- The classifier has one learning rate in the first two stages, 1e-3 unless it is set, and a tenth of it in the last.
  Theirs has 1e-3 only where it judges translations; the one that learns from them has 1e-4, the last stage 1e-5.
- Adam's beta_1 is that of the translators throughout; theirs is 0.9 in the last two stages.
- The feature stage moves at each step; theirs only where the discriminator is right on more than 60 %.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uda.data.batches import Batch, Batches
from uda.data.neutral import added
from uda.errors import UserError
from uda.methods.base import Outputs, TaskShape, cross_entropy, descend, detached
from uda.methods.classifier import ClassifierConfig, ClassifierMethod
from uda.methods.ranges import Count, Share
from uda.methods.stages import all_terms
from uda.methods.translator import Translator
from uda.unit import losses
from uda.unit.networks import Discriminator, initialise_discriminative


@dataclass(frozen=True)
class CycadaConfig(ClassifierConfig):
    """Settings of CyCADA.

    Attributes
    ----------
    generator_width, discriminator_width
        Channels next to the images in translators and image discriminators; 0 means ``width``.
    blocks
        Residual blocks of the translators.
    hidden
        Units of the feature discriminator's two hidden layers.
    lambda_target
        Weight of the game in the target domain beside that in the source domain.
    lambda_cycle
        Weight of cycle consistency, equation (3), a mean over an image's values.
    lambda_semantic
        Weight of semantic consistency, equation (4).
    good_enough
        The cross-entropy on source images above which the classifier does not judge semantics yet.
    pixel_share, feature_share
        Shares of the run's steps of the first and the last stage; 0 leaves that stage out.
    pixel_rate, feature_rate
        Learning rates of translators and image discriminators and of the last stage, as multiples of ``learning_rate``,
        which is that of the classifier.
    plain_game
        Whether images are translated, judged and compared as they are before the augmentation changes their
        intensities, which may take them out of what translators can draw; the classifier then learns augmented images
        in the first stage alone. There must be a pixel stage.
    """

    beta_1: Share = 0.5
    generator_width: int = 0
    discriminator_width: int = 0
    blocks: int = 6
    hidden: Count = 500
    lambda_target: float = 2.0
    lambda_cycle: float = 1.0
    lambda_semantic: float = 1.0
    good_enough: float = 1.0
    pixel_share: Share = 0.5
    feature_share: Share = 0.2
    pixel_rate: float = 0.2
    feature_rate: float = 0.1
    plain_game: bool = added(False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.plain_game and not self.pixel_share:
            raise UserError(
                "plain_game is true and pixel_share 0: without a pixel stage nothing is translated; set plain_game to "
                "false, or pixel_share above 0"
            )
        if self.pixel_share + self.feature_share >= 1.0:
            raise UserError(
                f"pixel_share and feature_share are {self.pixel_share} and {self.feature_share}: they must sum to less "
                "than 1, which leaves the classifier a stage"
            )


class Cycada(ClassifierMethod, name="cycada", kind="generative", config=CycadaConfig):
    """Translators and discriminators between the images, and a discriminator between the scores (figure 2)."""

    label = "CyCADA"
    summary = "cycle- and class-consistent translation of source images, then adversarial features"
    paper = "Hoffman et al.: CyCADA: Cycle-Consistent Adversarial Domain Adaptation, ICML 2018"
    needs = "a pixel stage and a stage of the classifier before that of features"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "default": {},
        "pixel": {"feature_share": 0.0},
        "feature": {"pixel_share": 0.0},
    }

    TERMS = ("classification", "gan_generator", "cycle", "semantic", "gan_discriminator", "domain", "confusion")

    adapting: Tensor

    def __init__(self, config: CycadaConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        (source, size, _), (target, _, _) = task.source_shape, task.target_shape
        drawing, judging = config.generator_width or config.width, config.discriminator_width or config.width
        self.to_target = Translator(source, target, size, drawing, config.blocks)
        self.to_source = Translator(target, source, size, drawing, config.blocks)
        self.in_source, self.in_target = (Discriminator([c], size, judging, dropout=False) for c in (source, target))
        initialise_discriminative(self.in_source)
        initialise_discriminative(self.in_target)
        self.source_networks = copy.deepcopy(nn.ModuleList([self.backbone, self.head])).requires_grad_(False)
        self.register_buffer("adapting", torch.tensor(False))
        sizes = [task.classes, config.hidden, config.hidden]
        layers = [layer for n, m in pairwise(sizes) for layer in (nn.Linear(n, m), nn.ReLU())]
        self.feature_discriminator = nn.Sequential(*layers, nn.Linear(config.hidden, 2))
        pixel, feature = config.pixel_rate, config.feature_rate
        self.play_translators = self.optimise("translators", self.to_target, self.to_source, rate=pixel)
        self.play_images = self.optimise("image_discriminators", self.in_source, self.in_target, rate=pixel)
        self.classifier = self.optimise("classifier", self.backbone, self.head)
        self.play_features = self.optimise("feature_discriminator", self.feature_discriminator, rate=feature)
        self.play_target = self.optimise("target", self.backbone, self.head, rate=feature)

    @property
    def starts(self) -> tuple[int, ...]:
        """Pixel stage, stage of the classifier, feature stage; one that is left out ends where it begins."""
        c, steps = self.config, self.task.steps
        return (0, round(c.pixel_share * steps), round((1.0 - c.feature_share) * steps))

    def begin_stage(self, stage: int, batches: Batches) -> None:
        """Keep the classifier's weights for source images when the feature stage begins.

        It goes on reading in training mode, as in the authors' code: its running statistics follow.
        """
        if stage == 2:
            self.source_networks.load_state_dict(nn.ModuleList([self.backbone, self.head]).state_dict())
            self.adapting.fill_(True)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Make the update of the stage."""
        played = batch.placed if self.config.plain_game else batch
        if self.stage == 2:
            terms = self._adapt_features(played)
        elif self.stage == 1:
            terms = self._classify(self._as_target(played.source_images), batch.source_labels)
        else:
            terms = self._learn_to_translate(played) | self._classify(batch.source_images, batch.source_labels)
        return all_terms(self.TERMS, detached(**terms))

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return features and logits; source images are drawn in the target domain, and in the end read by a copy."""
        backbone, head = self.source_networks if source and bool(self.adapting) else (self.backbone, self.head)
        features = backbone(self.readable(self._as_target(images) if source else images))
        return Outputs(features, head(features))

    @classmethod
    def translates(cls, config: CycadaConfig) -> bool:
        """Whether there is a pixel stage."""
        return config.pixel_share > 0

    def translate(self, images: Tensor, origin: int) -> Tensor:
        """Draw (N, C, S, S) images of a domain (0 source, 1 target) in the other."""
        drawn: Tensor = (self.to_target, self.to_source)[origin](images)
        return drawn

    @torch.no_grad()
    def _as_target(self, images: Tensor) -> Tensor:
        """Draw source images in the target domain, where there is a pixel stage."""
        drawn: Tensor = self.to_target(images) if self.config.pixel_share else images
        return drawn

    def _classify(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Descend equation (1) on source images, drawn as they are or in the target domain."""
        loss = cross_entropy(super().outputs(images).logits, labels)
        descend(self.classifier, loss)
        return {"classification": loss}

    def _learn_to_translate(self, batch: Batch) -> dict[str, Tensor]:
        """Play a round between translators and discriminators."""
        s, t = batch.source_images, batch.target_images
        s_t, t_s = self.to_target(s), self.to_source(t)
        terms = self._move_translators(batch, s_t, t_s)
        discriminators = [self.in_source, self.in_target]
        parts = [(s, t_s.detach()), (t, s_t.detach())]
        verdicts = [d([(real, 0), (drawn, 0)]) for d, (real, drawn) in zip(discriminators, parts, strict=True)]
        terms["gan_discriminator"] = losses.objective(
            *(losses.gan_discriminator(real, drawn, 1.0) for real, drawn in verdicts)
        )
        descend(self.play_images, terms["gan_discriminator"])
        return terms

    def _move_translators(self, batch: Batch, s_t: Tensor, t_s: Tensor) -> dict[str, Tensor]:
        """Descend the translators' side of equations (2), (3) and (4), in both directions."""
        c, s, t = self.config, batch.source_images, batch.target_images
        gan = losses.gan_generator(self.in_target([(s_t, 0)])[0], c.lambda_target)
        gan = gan + losses.gan_generator(self.in_source([(t_s, 0)])[0], 1.0)
        cycle = F.l1_loss(self.to_source(s_t), s) + F.l1_loss(self.to_target(t_s), t)
        semantic = self._semantic(batch, s_t, t_s)
        descend(self.play_translators, gan + c.lambda_cycle * cycle + c.lambda_semantic * semantic)
        return {"gan_generator": gan, "cycle": cycle, "semantic": semantic}

    def _semantic(self, batch: Batch, s_t: Tensor, t_s: Tensor) -> Tensor:
        """Equation (4): translations must be classified as their originals are; zero until the classifier is good.

        As in the authors' code a source image's class is its label, a target image's what the classifier says.
        """
        labels = batch.source_labels
        self.backbone.eval()
        with torch.no_grad():
            on_s, on_t = self._read_both(batch.source_images, batch.target_images)
        on_s_t, on_t_s = self._read_both(s_t, t_s)
        self.backbone.train(self.training)
        good: Tensor = cross_entropy(on_s, labels) <= self.config.good_enough
        return (cross_entropy(on_s_t, labels) + cross_entropy(on_t_s, on_t.argmax(1))) * good.float()

    def _read_both(self, one: Tensor, two: Tensor) -> tuple[Tensor, Tensor]:
        """Return the classifier's (N, K) and (M, K) logits of images of any domain, from one pass."""
        logits = self.head(self.backbone(torch.cat([self.readable(one), self.readable(two)])))
        on_one, on_two = torch.split(logits, [len(one), len(two)])
        return on_one, on_two

    def _adapt_features(self, batch: Batch) -> dict[str, Tensor]:
        """Play a round of the game in feature space: the discriminator moves first, then the target's network."""
        backbone, head = self.source_networks
        with torch.no_grad():
            source = head(backbone(self.readable(self._as_target(batch.source_images))))
        target = super().outputs(batch.target_images).logits
        judge = self.feature_discriminator
        domain = losses.gan_discriminator(judge(source).float(), judge(target.detach()).float(), 1.0)
        descend(self.play_features, domain)
        confusion = losses.gan_generator(judge(target).float(), 1.0)
        descend(self.play_target, confusion)
        return {"domain": domain, "confusion": confusion}

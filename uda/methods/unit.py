"""UNIT with a classifier head: domain adaptation by translation through a shared latent space.

M.-Y. Liu, T. Breuel, J. Kautz, "Unsupervised Image-to-Image Translation Networks", NIPS 2017. Equation numbers are
the paper's. ``head="encoder"`` is ours: the classifier reads the shared latent code. ``head="discriminator"`` is what
the paper's table used: the classifier shares the discriminators' tied layers, with feature matching across domains.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from uda.data.batches import Batch
from uda.methods.base import TaskShape, descend, detached
from uda.methods.entropy import LIKE_SURE_AND_DIVERSE
from uda.methods.stages import all_terms
from uda.methods.unit_classifier import Lesson
from uda.methods.unit_config import AUTHORS, CPU, DISCRIMINATOR, GPU, USPS_RUN, UnitConfig
from uda.methods.unit_refinement import RefinedClassifier
from uda.unit import losses
from uda.unit.core import Streams

__all__ = ["AUTHORS", "UnitConfig", "UnitMethod"]


class UnitMethod(RefinedClassifier, name="unit", kind="generative", config=UnitConfig):
    """UNIT's alternating game with a classifier beside it: D step, then E,G step (section 3, "Learning")."""

    summary = "coupled VAE-GANs with a shared latent space, extended with a classifier head"
    paper = "Liu, Breuel, Kautz: Unsupervised Image-to-Image Translation Networks, NIPS 2017"
    needs = "two views of each target image, for its mean teacher"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "default": {},
        "unit": GPU,
        "unit-cpu": CPU,
        "no-teacher": {"lambda_teacher": 0.0},
        "discriminator": DISCRIMINATOR,
        "unit-2017": {**AUTHORS, "steps": 200_000, "batch_size": 64, "evaluate_every": 1000, "augmentation": {}},
        "unit-2017-usps": USPS_RUN,
        "unit-2017-usps-alike": {**USPS_RUN, "begin_alike": True},
        "unit-2017-usps-starts": {**USPS_RUN, "starts": 3, "start_steps": 1000},
    }

    #: Of both stages: the names that each update gives where there are two.
    TERMS = (
        "gan_discriminator",
        "feature_matching",
        "kl",
        "reconstruction",
        "gan_generator",
        "cycle",
        "classification",
        "classification_translated",
        "consistency",
        "sure",
        "class_balance",
        "entropy",
        "diversity",
        "vat_source",
        "vat_target",
        "semantic",
        "semantic_back",
        "pseudo_classification",
    )

    def __init__(self, config: UnitConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        on_encoder = config.head == "encoder"
        adversary, generative = [self.core.discriminator], [self.core.encoder, self.core.generator]
        self.play_d = self.optimise("discriminator", *adversary, *([] if on_encoder else [self.head]))
        self.play_eg = self.optimise("encoder_generator", *generative, *([self.head] if on_encoder else []))

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Play one round: D1, D2 (and their class head) first, then E1, E2, G1, G2 (and theirs); refine in the end.

        Both moves use the same streams: the second sees the discriminators as the first left them.
        """
        terms = self._refine(batch) if self.stage == 1 else self._play(batch, step)
        self._follow(step)
        return all_terms(self.TERMS, terms) if self.config.refine_share else terms

    @classmethod
    def trains_on(cls, config: UnitConfig) -> tuple[str, ...]:
        """Name what likes sure and diverse predictions, where they are a term or a last stage; else entropy alone."""
        if config.lambda_information or config.refine_share:
            return LIKE_SURE_AND_DIVERSE
        return ("entropy",) if config.lambda_entropy else ()

    @classmethod
    def translates(cls, config: UnitConfig) -> bool:
        """Whether there is a game: without one nothing moves the generators."""
        return config.plays

    def translate(self, images: Tensor, origin: int) -> Tensor:
        """Draw (N, C, S, S) images of a domain (0 source, 1 target) in the other: the mean of their codes, decoded."""
        return self.core.translate(images, origin)

    def _play(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        if not self.config.plays:
            return self._learn_alone(self._lesson(batch, step))
        lesson = self._lesson(batch, step)
        x_1, x_2 = batch.source_images, lesson.target_images
        streams = self.core.streams(x_1, x_2, (len(self._played(x_1)), len(self._played(x_2))))
        terms = self._move_discriminators(lesson, streams)
        return terms | self._move_encoders_generators(lesson, streams)

    def _learn_alone(self, lesson: Lesson) -> dict[str, Tensor]:
        """Descend the classifier's losses alone: what the game's move does where none of its terms has a weight."""
        code_1, code_2 = self.core.codes((lesson.batch.source_images, 0), (lesson.target_images, 1))
        terms, loss = self._learn_classes(lesson, code_1.mean, None, code_2.mean)
        descend(self.play_eg, loss)
        return detached(**terms)

    def _played(self, images: Tensor) -> Tensor:
        """Return those images of a batch that the game is played with: the first ones, at least 2 to normalise by."""
        return images[: max(2, round(self.config.game_share * len(images)))]

    def _real(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the source and target images that are judged, and that reconstructions are compared with."""
        real = batch.placed if self.config.plain_game else batch
        return self._played(real.source_images), self._played(real.target_images)

    def _move_discriminators(self, lesson: Lesson, s: Streams) -> dict[str, Tensor]:
        """Ascend equations (5) and (6) in D1, D2; with the head there, descend its losses too."""
        x_1, x_2 = self._real(lesson.batch)
        parts = [(x_1, 0), (x_2, 1), (s.x_21.detach(), 0), (s.x_12.detach(), 1)]
        if self.config.adversarial_reconstructions or self.config.lambda_features:
            parts += [(s.x_11.detach(), 0), (s.x_22.detach(), 1)]
        sizes = [len(x) for x, _ in parts]
        features, paired = self.core.discriminator.features(parts, pairs=4 if self.config.lambda_features else 0)
        verdicts = self.core.discriminator.judge(features, sizes, [d for _, d in parts])
        gan = self._gan_discriminators(verdicts)
        terms = {"gan_discriminator": gan}
        loss = gan
        if self.config.head == "discriminator":
            source, target, _, x_12 = torch.split(features.flatten(1), sizes)[:4]
            translated = x_12 if self.config.lambda_translated else None
            class_terms, class_loss = self._learn_classes(lesson, source, translated, target)
            terms.update(class_terms)
            loss = loss + class_loss
        if self.config.lambda_features:
            x_21, x_12, x_11, x_22 = torch.split(paired, sizes[2:])
            matching = losses.feature_matching(x_12, x_11) + losses.feature_matching(x_21, x_22)
            terms["feature_matching"] = matching
            loss = loss + self.config.lambda_features * matching
        descend(self.play_d, loss)
        return detached(**terms)

    def _gan_discriminators(self, verdicts: list[Tensor]) -> Tensor:
        """Equations (5) and (6): real images of both domains against translations (and reconstructions, halved)."""
        weight = self.config.lambda_0
        real_1, real_2, x_21, x_12 = verdicts[:4]
        if not self.config.adversarial_reconstructions:
            return losses.gan_discriminator(real_1, x_21, weight) + losses.gan_discriminator(real_2, x_12, weight)
        x_11, x_22 = verdicts[4:]
        both_1, both_2 = torch.cat([x_21, x_11]), torch.cat([x_12, x_22])
        return losses.gan_discriminator(real_1, both_1, weight) + losses.gan_discriminator(real_2, both_2, weight)

    def _move_encoders_generators(self, lesson: Lesson, s: Streams) -> dict[str, Tensor]:
        """Descend equation (2) in E1, E2, G1, G2; with the head there, its losses too."""
        c = self.config
        terms, loss = self._vae_gan(lesson.batch, s)
        if c.lambda_3 or c.lambda_4:
            terms["cycle"] = self._cycle(lesson.batch, s)
            loss = loss + terms["cycle"]
        if c.head == "encoder":
            x_12 = self._read_translated(s) if c.lambda_translated else None
            class_terms, class_loss = self._learn_classes(lesson, s.code_1.mean, x_12, s.code_2.mean)
            terms.update(class_terms)
            loss = loss + class_loss
        if c.lambda_semantic or c.lambda_semantic_back:
            kept_terms, kept_loss = self._keep_classes(lesson, s)
            terms.update(kept_terms)
            loss = loss + kept_loss
        descend(self.play_eg, loss)
        return detached(**terms)

    def _vae_gan(self, batch: Batch, s: Streams) -> tuple[dict[str, Tensor], Tensor]:
        """Equations (3) to (6) for both domains: their terms, and their sum."""
        c = self.config
        kl_1, kl_2 = (losses.kl_divergence(code.mean, code.sd) for code in (s.code_1, s.code_2))
        x_1, x_2 = self._real(batch)
        nll_1, nll_2 = self._nll(x_1, s.x_11), self._nll(x_2, s.x_22)
        gan = self._gan_generators(s)
        loss = losses.objective(
            losses.vae(kl_1, nll_1, c.lambda_1, c.lambda_2), losses.vae(kl_2, nll_2, c.lambda_1, c.lambda_2), gan
        )
        return {"kl": kl_1 + kl_2, "reconstruction": nll_1 + nll_2, "gan_generator": gan}, loss

    def _gan_generators(self, s: Streams) -> Tensor:
        """Return the generators' side of (5) and (6); D1 and D2 are fixed: `descend` moves E and G alone."""
        parts = [(s.x_21, 0), (s.x_12, 1)]
        if self.config.adversarial_reconstructions:
            parts += [(s.x_11, 0), (s.x_22, 1)]
        verdicts = self.core.discriminator(parts)
        return losses.objective(*(losses.gan_generator(v, self.config.lambda_0) for v in verdicts))

    def _cycle(self, batch: Batch, s: Streams) -> Tensor:
        """Equations (7) and (8), both domains."""
        c = self.config
        cycles = self.core.cycles(s)
        x_1, x_2 = self._real(batch)
        total = []
        for code, translated, images, again in (
            (s.code_1, cycles.code_12, x_1, cycles.x_121),
            (s.code_2, cycles.code_21, x_2, cycles.x_212),
        ):
            kl, kl_translated = (losses.kl_divergence(q.mean, q.sd) for q in (code, translated))
            nll = self._nll(images, again)
            total.append(losses.cycle_consistency(kl, kl_translated, nll, c.lambda_3, c.lambda_4))
        return losses.objective(*total)

    def _read_translated(self, s: Streams) -> Tensor:
        """Return the codes that the target's encoder gives source images as drawn in the target domain."""
        images = s.x_12 if self.config.translated_gradient else s.x_12.detach()
        (code,) = self.core.codes((images, 1), track=False)
        return code.mean

    def _nll(self, images: Tensor, drawn: Tensor) -> Tensor:
        if self.config.likelihood == "laplacian":
            return losses.laplacian_nll(images, drawn)
        return losses.gaussian_nll(images, drawn)

"""UNIT with a classifier head: domain adaptation by translation through a shared latent space.

M.-Y. Liu, T. Breuel, J. Kautz, "Unsupervised Image-to-Image Translation Networks", NIPS 2017. Equation numbers are
the paper's. ``head="encoder"`` is ours: the classifier reads the shared latent code. ``head="discriminator"`` is what
the paper's table used: the classifier shares the discriminators' tied layers, with feature matching across domains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from uda.data.batches import Batch
from uda.errors import UserError, unknown
from uda.methods.base import Method, OptimiserConfig, Outputs, TaskShape, cross_entropy, descend, detached
from uda.methods.discriminator_head import build_class_head, read_images
from uda.methods.teacher import MeanTeacher, class_balance, consistency
from uda.unit import losses
from uda.unit.core import UNIT, Streams
from uda.unit.networks import Discriminator


@dataclass(frozen=True)
class UnitConfig(OptimiserConfig):
    """Settings of UNIT; likelihoods and divergences are sums over an image, so the lambdas are small.

    Attributes
    ----------
    head
        Where the classifier sits: ``"encoder"`` or ``"discriminator"``.
    width, generator_width, discriminator_width
        Channels of the encoders' first layer, the generators' last and the discriminators' first; 0 for the latter two
        means the same as ``width``.
    latent
        Dimensions of the latent space; 0 means 8 times the width.
    statistics
        Encoder normalisation: ``"per-domain"`` or ``"mixed"`` (the authors').
    own_first
        Whether the first layer of encoders and discriminators is each domain's own (the paper), or shared like others.
    xy, learned_sd, dropout
        Coordinate channels for the encoders; predicted standard deviations; dropout in the discriminators.
    standardised
        Whether the encoders give each image zero mean and unit variance first.
    likelihood
        ``"laplacian"`` (the paper) or ``"gaussian"`` (the authors' code).
    lambda_0, lambda_1, lambda_2, lambda_3, lambda_4
        Weights of the GAN, KL, likelihood, cycle KL and cycle likelihood terms, equations (3) to (8). The cycle terms
        are off by default, as in the authors' domain adaptation code.
    adversarial_reconstructions
        Whether reconstructions count as generated images beside translations (the authors' code).
    lambda_class
        Weight of the cross-entropy on labelled source images.
    lambda_translated
        Weight of the cross-entropy on source images translated into the target domain.
    lambda_teacher, lambda_balance
        Weights of `consistency` with a mean teacher on target images, and of `class_balance` there, which counts by
        the share of images that the teacher is sure of. The paper has neither.
    teacher_decay, confidence
        What stays of the teacher's average at each step; from what probability on the teacher is sure.
    warmup
        Steps over which the three weights above rise from 0, linearly.
    translated_gradient
        Whether that cross-entropy also moves what made the translations.
    lambda_features
        Weight of the squared distance between discriminator features of the two images decoded from one code.
    """

    learning_rate: float = 3e-3
    beta_1: float = 0.5
    head: str = "encoder"
    width: int = 32
    generator_width: int = 0
    discriminator_width: int = 0
    latent: int = 0
    statistics: str = "per-domain"
    own_first: bool = False
    xy: bool = False
    learned_sd: bool = False
    dropout: bool = True
    standardised: bool = False
    likelihood: str = "laplacian"
    lambda_0: float = 1.0
    lambda_1: float = 2e-4
    lambda_2: float = 0.1
    lambda_3: float = 0.0
    lambda_4: float = 0.0
    adversarial_reconstructions: bool = False
    lambda_class: float = 1000.0
    lambda_translated: float = 500.0
    lambda_teacher: float = 15000.0
    lambda_balance: float = 0.0
    teacher_decay: float = 0.99
    confidence: float = 0.8
    warmup: int = 300
    translated_gradient: bool = False
    lambda_features: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, allowed in (
            ("head", ("encoder", "discriminator")),
            ("statistics", ("per-domain", "mixed")),
            ("likelihood", ("laplacian", "gaussian")),
        ):
            if getattr(self, name) not in allowed:
                raise unknown(name, getattr(self, name), allowed)


AUTHORS: dict[str, Any] = {
    "head": "discriminator",
    "width": 96,
    "discriminator_width": 64,
    "statistics": "mixed",
    "own_first": True,
    "xy": True,
    "learned_sd": True,
    "likelihood": "gaussian",
    "learning_rate": 2e-4,
    "schedule": "constant",
    "weight_decay": 5e-4,
    "lambda_0": 1.0,
    "lambda_1": 2e-4,  # the authors weigh the divergence without its 1/2 by 1e-4
    "lambda_2": 1e-3,
    "lambda_3": 0.0,
    "lambda_4": 0.0,
    "adversarial_reconstructions": True,
    "lambda_class": 10.0,
    "lambda_features": 1e-4,
    "lambda_translated": 0.0,
    "lambda_teacher": 0.0,
}


#: The head on the discriminators, at the schedule and budget of the other methods in a table: its terms weigh against
#: the discriminators' game, not against likelihoods, and its trunk is wider than a game alone needs.
DISCRIMINATOR: dict[str, Any] = {
    "head": "discriminator",
    "learning_rate": 1e-3,
    "discriminator_width": 16,
    "lambda_class": 10.0,
    "lambda_features": 1e-4,
    "lambda_translated": 5.0,
    "lambda_teacher": 150.0,
    "lambda_balance": 0.0,
}


class UnitMethod(Method):
    """UNIT's alternating game with a classifier beside it: D step, then E,G step (section 3, "Learning")."""

    name = "unit"
    kind = "generative"
    summary = "coupled VAE-GANs with a shared latent space, extended with a classifier head"
    paper = "Liu, Breuel, Kautz: Unsupervised Image-to-Image Translation Networks, NIPS 2017"
    needs = "two views of each target image, for its mean teacher"
    Config = UnitConfig
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "default": {},
        "no-teacher": {"lambda_teacher": 0.0},
        "discriminator": DISCRIMINATOR,
        "unit-2017": {**AUTHORS, "steps": 200_000, "batch_size": 64, "evaluate_every": 1000, "augmentation": {}},
    }

    def __init__(self, config: UnitConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        if task.source_shape[1:] != task.target_shape[1:]:
            raise UserError(
                f"UNIT needs one image size for both domains, not {task.source_shape} and {task.target_shape}"
            )
        self.core = UNIT(
            (task.source_shape[0], task.target_shape[0]),
            task.source_shape[1],
            config.width,
            config.generator_width,
            config.discriminator_width,
            config.latent,
            per_domain=config.statistics == "per-domain",
            own_first=config.own_first,
            xy=config.xy,
            learned_sd=config.learned_sd,
            dropout=config.dropout,
            standardised=config.standardised,
        )
        self.head = self._build_head(task.classes)
        self.second_view = config.lambda_teacher > 0
        self.teacher = MeanTeacher(self._students, config.teacher_decay) if self.second_view else None
        on_encoder = config.head == "encoder"
        adversary, generative = [self.core.discriminator], [self.core.encoder, self.core.generator]
        self.play_d = self.optimise("discriminator", *adversary, *([] if on_encoder else [self.head]))
        self.play_eg = self.optimise("encoder_generator", *generative, *([self.head] if on_encoder else []))

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Play one round: D1, D2 (and their class head) first, then E1, E2, G1, G2 (and theirs).

        Both moves use the same streams: the second sees the discriminators as the first left them.
        """
        streams = self.core.streams(batch.source_images, batch.target_images)
        terms = self._move_discriminators(batch, streams, step)
        terms.update(self._move_encoders_generators(batch, streams, step))
        if self.teacher is not None:
            self.teacher.follow(self._students)
        return terms

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return what the head reads, (N, latent) codes or (N, F) discriminator features, and its logits.

        Images are read by their own domain's networks; target images by the teacher's, if there is one.
        """
        trunk, head = self._students if source else self._judges
        features = self._read(trunk, images, 0 if source else 1)
        return Outputs(features, head(features))

    @property
    def _students(self) -> tuple[nn.Module, nn.Module]:
        """The networks that classify, as they learn: the trunk under the head, and the head."""
        return (self.core.encoder if self.config.head == "encoder" else self.core.discriminator), self.head

    @property
    def _judges(self) -> tuple[nn.Module, nn.Module]:
        """The networks that classify target images in the end."""
        if self.teacher is None:
            return self._students
        trunk, head = self.teacher.networks
        return trunk, head

    def _build_head(self, classes: int) -> nn.Module:
        if self.config.head == "encoder":
            return nn.Linear(self.core.encoder.latent, classes)
        return build_class_head(self.core.discriminator, classes)

    @staticmethod
    def _read(trunk: nn.Module, images: Tensor, domain: int) -> Tensor:
        """Return what a head reads of images of a domain: (N, F)."""
        if isinstance(trunk, Discriminator):
            return read_images(trunk, images, domain)
        codes: Tensor = trunk([(images, domain)])[0][0]
        return codes

    def _move_discriminators(self, batch: Batch, s: Streams, step: Tensor) -> dict[str, Tensor]:
        """Ascend equations (5) and (6) in D1, D2; with the head there, descend its losses too."""
        x_1, x_2 = batch.source_images, batch.target_images
        translated = [(s.x_21.detach(), 0), (s.x_12.detach(), 1)]
        reconstructed = [(s.x_11.detach(), 0), (s.x_22.detach(), 1)]
        parts = [(x_1, 0), (x_2, 1), *translated]
        if self.config.adversarial_reconstructions or self.config.lambda_features:
            parts += reconstructed
        sizes = [len(x) for x, _ in parts]
        plain, dropped = self.core.discriminator.features(parts)
        verdicts = self.core.discriminator.judge(dropped, sizes)
        gan = self._gan_discriminators(verdicts)
        terms = {"gan_discriminator": gan}
        loss = gan
        if self.config.head == "discriminator":
            source, target, _, x_12 = torch.split(dropped.flatten(1), sizes)[:4]
            class_terms, class_loss = self._learn_classes(batch, step, source, x_12, target)
            terms.update(class_terms)
            loss = loss + class_loss
        if self.config.lambda_features:
            x_21, x_12, x_11, x_22 = torch.split(plain, sizes)[2:]
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

    def _move_encoders_generators(self, batch: Batch, s: Streams, step: Tensor) -> dict[str, Tensor]:
        """Descend equation (2) in E1, E2, G1, G2; with the head there, its losses too."""
        c = self.config
        terms, loss = self._vae_gan(batch, s)
        if c.lambda_3 or c.lambda_4:
            terms["cycle"] = self._cycle(batch, s)
            loss = loss + terms["cycle"]
        if c.head == "encoder":
            x_12 = self._read_translated(s) if c.lambda_translated else None
            class_terms, class_loss = self._learn_classes(batch, step, s.code_1.mean, x_12, s.code_2.mean)
            terms.update(class_terms)
            loss = loss + class_loss
        descend(self.play_eg, loss)
        return detached(**terms)

    def _vae_gan(self, batch: Batch, s: Streams) -> tuple[dict[str, Tensor], Tensor]:
        """Equations (3) to (6) for both domains: their terms, and their sum."""
        c = self.config
        kl_1, kl_2 = (losses.kl_divergence(code.mean, code.sd) for code in (s.code_1, s.code_2))
        nll_1, nll_2 = self._nll(batch.source_images, s.x_11), self._nll(batch.target_images, s.x_22)
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
        total = []
        for code, translated, images, again in (
            (s.code_1, cycles.code_12, batch.source_images, cycles.x_121),
            (s.code_2, cycles.code_21, batch.target_images, cycles.x_212),
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

    def _learn_classes(
        self, batch: Batch, step: Tensor, source: Tensor, translated: Tensor | None, target: Tensor
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the head's terms and their weighted sum, of what it reads of the (N, F) three kinds of images."""
        c, labels = self.config, batch.source_labels
        ramp = (step / max(1, c.warmup)).clamp(max=1.0)
        terms = {"classification": cross_entropy(self.head(source), labels)}
        loss = c.lambda_class * terms["classification"]
        if c.lambda_translated and translated is not None:
            terms["classification_translated"] = cross_entropy(self.head(translated), labels)
            loss = loss + c.lambda_translated * ramp * terms["classification_translated"]
        if self.teacher is not None:
            logits = self.head(target)
            terms["consistency"], terms["sure"] = consistency(logits, self._teach(batch), c.confidence)
            loss = loss + c.lambda_teacher * ramp * terms["consistency"]
            if c.lambda_balance:
                terms["class_balance"] = class_balance(logits)
                loss = loss + c.lambda_balance * ramp * terms["sure"] * terms["class_balance"]
        return terms, loss

    @torch.no_grad()
    def _teach(self, batch: Batch) -> Tensor:
        """Return the teacher's (N, K) logits on the second view of the target images."""
        if batch.target_again is None:
            raise UserError("the mean teacher needs batches with a second view: make them with second_view=True")
        return self.predict(batch.target_again)

    def _nll(self, images: Tensor, drawn: Tensor) -> Tensor:
        if self.config.likelihood == "laplacian":
            return losses.laplacian_nll(images, drawn)
        return losses.gaussian_nll(images, drawn)

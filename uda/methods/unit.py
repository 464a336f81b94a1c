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
from uda.methods.base import Method, OptimiserConfig, TaskShape, cross_entropy, descend, detached
from uda.unit import losses
from uda.unit.core import UNIT, Streams


@dataclass(frozen=True)
class UnitConfig(OptimiserConfig):
    """Settings of UNIT; likelihoods and divergences are sums over an image, so the lambdas are small.

    Attributes
    ----------
    head
        Where the classifier sits: ``"encoder"`` or ``"discriminator"``.
    width, discriminator_width
        Channels of the first layers; 0 for the discriminators means the same as ``width``.
    latent
        Dimensions of the latent space; 0 means 8 times the width.
    statistics
        Encoder normalisation: ``"per-domain"`` or ``"mixed"`` (the authors').
    own_first
        Whether the encoders' first layer is each domain's own (the paper), or shared like the others.
    xy, learned_sd, dropout
        Coordinate channels for the encoders; predicted standard deviations; dropout in the discriminators.
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
        Weight of the cross-entropy on source images translated into the target domain; encoder head only.
    lambda_information
        Weight of `negative_information` on unlabelled target images, which the paper does not have; encoder head only.
    warmup
        Steps over which ``lambda_translated`` and ``lambda_information`` rise from 0, linearly.
    translated_gradient
        Whether that cross-entropy also moves what made the translations.
    lambda_features
        Weight of the squared distance between discriminator features of the two images decoded from one code.
    """

    learning_rate: float = 1e-3
    beta_1: float = 0.5
    head: str = "encoder"
    width: int = 32
    discriminator_width: int = 0
    latent: int = 0
    statistics: str = "per-domain"
    own_first: bool = False
    xy: bool = False
    learned_sd: bool = False
    dropout: bool = True
    likelihood: str = "laplacian"
    lambda_0: float = 1.0
    lambda_1: float = 2e-4
    lambda_2: float = 0.1
    lambda_3: float = 0.0
    lambda_4: float = 0.0
    adversarial_reconstructions: bool = False
    lambda_class: float = 1000.0
    lambda_translated: float = 500.0
    lambda_information: float = 1000.0
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
    "lambda_information": 0.0,
}


#: The authors' losses and head at the width, schedule and budget of the other methods in a table.
DISCRIMINATOR: dict[str, Any] = {
    key: AUTHORS[key]
    for key in (
        "head",
        "own_first",
        "likelihood",
        "lambda_0",
        "lambda_1",
        "lambda_2",
        "adversarial_reconstructions",
        "lambda_class",
        "lambda_features",
        "lambda_translated",
        "lambda_information",
    )
}


def negative_information(logits: Tensor) -> Tensor:
    """Minus the mutual information of image and predicted class over a batch of unlabelled images.

    Each prediction should be sure, and all classes should be predicted (Krause et al., NIPS 2010; SHOT-IM, Liang et
    al., ICML 2020).

    Parameters
    ----------
    logits
        (N, K).

    Returns
    -------
    Tensor
        Scalar: the mean entropy of the predictions minus the entropy of their mean, in nats; at least -log K.
    """
    log_p = torch.log_softmax(logits.float(), 1)
    mean = log_p.exp().mean(0)
    information: Tensor = (log_p.exp() * log_p).sum(1).mean() - torch.special.xlogy(mean, mean).sum()
    return -information


class UnitMethod(Method):
    """UNIT's alternating game with a classifier beside it: D step, then E,G step (section 3, "Learning")."""

    name = "unit"
    summary = "coupled VAE-GANs with a shared latent space, extended with a classifier head"
    paper = "Liu, Breuel, Kautz: Unsupervised Image-to-Image Translation Networks, NIPS 2017"
    Config = UnitConfig
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "default": {},
        "no-information": {"lambda_information": 0.0},
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
            config.discriminator_width or config.width,
            config.latent,
            per_domain=config.statistics == "per-domain",
            own_first=config.own_first,
            xy=config.xy,
            learned_sd=config.learned_sd,
            dropout=config.dropout,
        )
        self.head = self._build_head(task.classes)
        on_encoder = config.head == "encoder"
        adversary, generative = [self.core.discriminator], [self.core.encoder, self.core.generator]
        self.play_d = self.optimise("discriminator", *adversary, *([] if on_encoder else [self.head]))
        self.play_eg = self.optimise("encoder_generator", *generative, *([self.head] if on_encoder else []))

    def update(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """Play one round: D1, D2 (and their class head) first, then E1, E2, G1, G2 (and theirs).

        Both moves use the same streams: the second sees the discriminators as the first left them.
        """
        streams = self.core.streams(batch.source_images, batch.target_images)
        terms = self._move_discriminators(batch, streams)
        terms.update(self._move_encoders_generators(batch, streams, step))
        return terms

    def predict(self, images: Tensor) -> Tensor:
        """Classify target images with the target domain's networks: (N, K) logits."""
        return self._classify(images, 1)

    def predict_source(self, images: Tensor) -> Tensor:
        """Classify source images with the source domain's networks: (N, K) logits."""
        return self._classify(images, 0)

    def features(self, images: Tensor) -> Tensor:
        """Return what the head reads of target images: (N, latent) codes or (N, F) discriminator features."""
        return self._features(images, 1)

    def _build_head(self, classes: int) -> nn.Module:
        if self.config.head == "encoder":
            return nn.Linear(self.core.encoder.latent, classes)
        channels, side, _ = self.core.discriminator.feature_shape
        head = nn.Linear(channels * side * side, classes)
        nn.init.xavier_uniform_(head.weight, gain=2.0**0.5)
        nn.init.constant_(head.bias, 0.1)
        return head

    def _features(self, images: Tensor, domain: int) -> Tensor:
        if self.config.head == "encoder":
            return self.core.encode(images, domain)
        return self.core.discriminator.features([(images, domain)])[1].flatten(1)

    def _classify(self, images: Tensor, domain: int) -> Tensor:
        logits: Tensor = self.head(self._features(images, domain))
        return logits

    def _move_discriminators(self, batch: Batch, s: Streams) -> dict[str, Tensor]:
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
            classification = cross_entropy(self.head(dropped[: sizes[0]].flatten(1)), batch.source_labels)
            terms["classification"] = classification
            loss = loss + self.config.lambda_class * classification
        if self.config.lambda_features:
            matching = self._feature_matching(torch.split(plain.float(), sizes))
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

    @staticmethod
    def _feature_matching(features: tuple[Tensor, ...]) -> Tensor:
        """Squared distance between the features of the two images that one code is drawn as, for both codes."""
        x_21, x_12, x_11, x_22 = (f.flatten(1) for f in features[2:])
        return (x_12 - x_11).square().sum(1).mean() + (x_21 - x_22).square().sum(1).mean()

    def _move_encoders_generators(self, batch: Batch, s: Streams, step: int) -> dict[str, Tensor]:
        """Descend equation (2) in E1, E2, G1, G2; with the head there, its losses too."""
        c = self.config
        terms, loss = self._vae_gan(batch, s)
        if c.lambda_3 or c.lambda_4:
            terms["cycle"] = self._cycle(batch, s)
            loss = loss + terms["cycle"]
        if c.head == "encoder":
            terms["classification"] = cross_entropy(self.head(s.code_1.mean), batch.source_labels)
            loss = loss + c.lambda_class * terms["classification"]
            ramp = min(1.0, step / max(1, c.warmup))
            if c.lambda_translated:
                terms["classification_translated"] = self._classify_translated(batch, s)
                loss = loss + c.lambda_translated * ramp * terms["classification_translated"]
            if c.lambda_information:
                terms["negative_information"] = negative_information(self.head(s.code_2.mean))
                loss = loss + c.lambda_information * ramp * terms["negative_information"]
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

    def _classify_translated(self, batch: Batch, s: Streams) -> Tensor:
        """Cross-entropy of source images as drawn in the target domain, read by the target's encoder."""
        images = s.x_12 if self.config.translated_gradient else s.x_12.detach()
        (code,) = self.core.codes((images, 1), track=False)
        return cross_entropy(self.head(code.mean), batch.source_labels)

    def _nll(self, images: Tensor, drawn: Tensor) -> Tensor:
        if self.config.likelihood == "laplacian":
            return losses.laplacian_nll(images, drawn)
        return losses.gaussian_nll(images, drawn)

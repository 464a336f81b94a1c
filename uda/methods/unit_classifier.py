"""UNIT's classifier: a head on the encoders or the discriminators, and all that it learns from.

The paper's is the cross-entropy on labelled source images (section 4). The other terms are ours to put together, each
with a weight of its own, off at 0; each names where it is from.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor, nn

from uda.data.batches import Batch
from uda.methods.averages import Averages
from uda.methods.base import Method, Outputs, TaskShape, cross_entropy
from uda.methods.discriminator_head import build_class_head, read_images
from uda.methods.entropy import conditional_entropy, marginal_entropy
from uda.methods.strong_augmentation import strongly_augment
from uda.methods.teacher import TEACHINGS, Alignment, MeanTeacher, class_balance
from uda.methods.tracking import held
from uda.methods.unit_config import UnitConfig
from uda.methods.vat import scaled_radius, virtual_adversarial_loss
from uda.unit import losses
from uda.unit.core import UNIT, Streams
from uda.unit.networks import Discriminator

#: Terms of an update by name, and their weighted sum.
Terms = tuple[dict[str, Tensor], Tensor]


class Lesson:
    """What the classifier's terms of one update have in common.

    Attributes
    ----------
    batch
        The images of the step.
    target_images
        What the student reads of the target: (N, C, S, S).
    ramp
        Scalar: how much of their weight the terms have by now that rise from 0.
    """

    def __init__(self, batch: Batch, target_images: Tensor, ramp: Tensor, teach: Callable[[Batch], Tensor]) -> None:
        self.batch, self.target_images, self.ramp, self._teach = batch, target_images, ramp, teach

    @cached_property
    def taught(self) -> Tensor:
        """The mean teacher's (N, K) logits of the target images: asked for where they are first read, once."""
        return self._teach(self.batch)


class UnitClassifier(Method):
    """UNIT's networks, with a head that reads one pair of them, and what is evaluated in the end."""

    def __init__(self, config: UnitConfig, task: TaskShape) -> None:
        super().__init__(config, task)
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
            own_encoder=config.own_encoder,
            own_generator=config.own_generator,
            own_discriminator=config.own_discriminator,
            depth=config.depth,
            trunk=config.discriminator_trunk,
            begin_alike=config.begin_alike,
        )
        self.head = self._build_head(task.classes)
        self.second_view = config.lambda_teacher > 0
        self.teacher = MeanTeacher(self._students, config.teacher_decay) if self.second_view else None
        self.alignment = Alignment(task.classes, config.alignment) if config.alignment else None
        self.averages = Averages(self._students, config.average_decay) if config.average_decay else None

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return what the head reads, (N, latent) codes or (N, F) discriminator features, and its logits.

        Images are read by their own domain's networks. Target images are read by the teacher's, if there is one, which
        never sees a source image; averaged networks, if there are, read both.
        """
        trunk, head = self._students if source and self.teacher is not None else self._judges
        features = self._read(trunk, images, 0 if source else 1)
        return Outputs(features, head(features))

    @property
    def _students(self) -> tuple[nn.Module, nn.Module]:
        """The networks that classify, as they learn: the trunk under the head, and the head."""
        return (self.core.encoder if self.config.head == "encoder" else self.core.discriminator), self.head

    @property
    def _judges(self) -> tuple[nn.Module, nn.Module]:
        """The networks that classify target images in the end."""
        followers = self.averages if self.teacher is None else self.teacher
        if followers is None:
            return self._students
        trunk, head = followers.networks
        return trunk, head

    def _build_head(self, classes: int) -> nn.Module:
        if self.config.head == "encoder":
            return nn.Linear(self.core.encoder.latent, classes)
        return build_class_head(self.core.discriminator, classes)

    def _follow(self, step: Tensor) -> None:
        """Let the teacher, or the averages, follow what has just moved."""
        if self.teacher is not None:
            self.teacher.follow(self._students)
        if self.averages is not None:
            self.averages.follow(self._students, step)

    @staticmethod
    def _read(trunk: nn.Module, images: Tensor, domain: int, track: bool = True) -> Tensor:
        """Return what a head reads of images of a domain: (N, F) (``track``: see `Encoder`)."""
        if isinstance(trunk, Discriminator):
            return read_images(trunk, images, domain)
        codes: Tensor = trunk([(images, domain)], track=track)[0][0]
        return codes

    def _classify(self, images: Tensor, domain: int) -> Tensor:
        """Return the (N, K) logits of images that no running statistics shall follow, by the networks as they learn."""
        trunk, head = self._students
        logits: Tensor = head(self._read(trunk, images, domain, track=False))
        return logits

    def _lesson(self, batch: Batch, step: Tensor) -> Lesson:
        target = strongly_augment(batch.target_images) if self.config.strong_views else batch.target_images
        return Lesson(batch, target, (step / max(1, self.config.warmup)).clamp(max=1.0), self._teach)

    @torch.no_grad()
    def _teach(self, batch: Batch) -> Tensor:
        """Return the teacher's (N, K) logits on the second view of the target images, aligned if they shall be."""
        logits = self.predict(batch.second_view)
        return logits if self.alignment is None else self.alignment(logits)

    def _learn_classes(self, lesson: Lesson, source: Tensor, translated: Tensor | None, target: Tensor) -> Terms:
        """Return all terms that move the classifier, of what it reads of the (N, F) three kinds of images."""
        c = self.config
        on_source = self.head(source)
        parts = [self._learn_labels(lesson, on_source, translated)]
        on_target = self.head(target)
        if self.teacher is not None:
            parts.append(self._agree(lesson, on_target))
        if c.lambda_information or c.lambda_entropy:
            parts.append(self._be_sure(lesson, on_target))
        if c.lambda_vat_source:
            parts.append(self._stay("vat_source", c.lambda_vat_source, lesson.batch.source_images, on_source, 0))
        if c.lambda_vat_target:
            weight = c.lambda_vat_target * lesson.ramp
            parts.append(self._stay("vat_target", weight, lesson.target_images, on_target, 1))
        return together(parts)

    def _learn_labels(self, lesson: Lesson, on_source: Tensor, translated: Tensor | None) -> Terms:
        """Return the cross-entropy on labelled source images, as they are and as drawn in the target domain."""
        c, labels = self.config, lesson.batch.source_labels
        terms = {"classification": cross_entropy(on_source, labels)}
        loss = c.lambda_class * terms["classification"]
        if translated is not None:
            terms["classification_translated"] = cross_entropy(self.head(translated), labels[: len(translated)])
            loss = loss + c.lambda_translated * lesson.ramp * terms["classification_translated"]
        return terms, loss

    def _agree(self, lesson: Lesson, on_target: Tensor) -> Terms:
        """Return what the mean teacher teaches, and balance of classes (French et al., ICLR 2018)."""
        c, terms = self.config, {}
        distance = TEACHINGS[c.teaching]
        terms["consistency"], terms["sure"] = distance(on_target, lesson.taught, c.confidence)
        loss = c.lambda_teacher * lesson.ramp * terms["consistency"]
        if c.lambda_balance:
            terms["class_balance"] = class_balance(on_target)
            loss = loss + c.lambda_balance * lesson.ramp * terms["sure"] * terms["class_balance"]
        return terms, loss

    def _be_sure(self, lesson: Lesson, on_target: Tensor) -> Terms:
        """Return the mutual information of images and predicted classes (Shi and Sha, ICML 2012), and entropy alone."""
        c = self.config
        terms = {"entropy": conditional_entropy(on_target)}
        loss = (c.lambda_information + c.lambda_entropy) * lesson.ramp * terms["entropy"]
        if c.lambda_information:
            terms["diversity"] = marginal_entropy(on_target)
            loss = loss - c.lambda_information * lesson.ramp * terms["diversity"]
        return terms, loss

    def _stay(self, name: str, weight: Tensor | float, images: Tensor, logits: Tensor, domain: int) -> Terms:
        """Return how much predictions change where images are moved to change them most (VADA's L_v, ICLR 2018)."""
        radius = scaled_radius(self.config.vat_radius, images)
        change = virtual_adversarial_loss(lambda moved: self._classify(moved, domain), images, logits, radius)
        return {name: change}, weight * change

    def _keep_classes(self, lesson: Lesson, s: Streams) -> Terms:
        """Return what keeps the class of images that are translated: CyCADA's semantic loss (ICML 2018, equation 4).

        As there, what translates is moved, encoder and generator, and what judges is held: the classifier as it is at
        this step. The encoder is part of both; it gets the gradient of translating, not that of judging, so that no
        wrong translation is made right by a classifier that gives way. Translations are read as images of the domain
        that they are drawn in, normalised by their own batch (where statistics are per domain); with ``own_first``
        off, the default, the judge is then the classifier of source images to the bit.

        A source image's class is its label, a target image's what the mean teacher is sure of: images that it is not
        sure of count as 0, as in its other term. ``translated_gradient`` is this term at the weight of
        ``classification_translated``.
        """
        c, labels = self.config, lesson.batch.source_labels
        parts: list[Terms] = []
        if c.lambda_semantic:
            kept = cross_entropy(self._judge(s.x_12, 1), labels[: len(s.x_12)])
            parts.append(({"semantic": kept}, c.lambda_semantic * lesson.ramp * kept))
        if c.lambda_semantic_back:
            certainty, classes = torch.softmax(lesson.taught[: len(s.x_21)].float(), 1).max(1)
            surprise = nn.functional.cross_entropy(self._judge(s.x_21, 0).float(), classes, reduction="none")
            kept = (surprise * (certainty > c.confidence).float()).mean()
            parts.append(({"semantic_back": kept}, c.lambda_semantic_back * lesson.ramp * kept))
        return together(parts)

    def _judge(self, images: Tensor, domain: int) -> Tensor:
        """Return the (N, K) logits of images whose gradient goes into the images alone."""
        with held(*self._students):
            return self._classify(images, domain)


def together(parts: list[Terms]) -> Terms:
    """Join the terms of several parts, and add up their weighted sums."""
    terms = {name: term for each, _ in parts for name, term in each.items()}
    return terms, losses.objective(*(loss for _, loss in parts))

"""The whole domain on the device as uint8; a batch is an index, a cast and an augmentation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from uda.data.augmentation import Augmentation, augment, place, recolour, to_float
from uda.data.painting import paint
from uda.errors import UserError


@dataclass(frozen=True)
class Batch:
    """One step's images. There is no field for a target label, so no method can read one.

    Attributes
    ----------
    source_images, target_images
        (N, C, H, W) float32, augmented.
    source_labels
        (N,) int64.
    target_index
        (N,) int64: where in the target training set each image stands.
    target_again
        The images of ``target_images`` once more, augmented independently; None unless the method asks for it.
    source_placed, target_placed
        The images of ``source_images`` and ``target_images`` as they were shifted and deformed, before their
        intensities were changed.
    """

    source_images: Tensor
    source_labels: Tensor
    target_images: Tensor
    target_index: Tensor
    target_again: Tensor | None = None
    source_placed: Tensor | None = None
    target_placed: Tensor | None = None

    @property
    def second_view(self) -> Tensor:
        """``target_again``; `UserError` where there is none."""
        if self.target_again is None:
            raise UserError("the method needs batches with a second view: make them with second_view=True")
        return self.target_again

    @property
    def placed(self) -> Batch:
        """The batch with its images as they were placed, their intensities those of the data; `UserError` without."""
        if self.source_placed is None or self.target_placed is None:
            raise UserError("the plain game needs batches with placed images: make them by uda.data.batches.Batches")
        return replace(self, source_images=self.source_placed, target_images=self.target_placed)


class Shuffle:
    """Endless epochs over ``count`` indices: each epoch a fresh permutation, its short tail dropped.

    Which indices a step gets depends on the name, the seed and the step alone, so a resumed run needs no state.
    """

    def __init__(self, name: str, count: int, batch_size: int, seed: int, device: torch.device) -> None:
        self.name, self.count, self.batch_size, self.seed, self.device = name, count, batch_size, seed, device
        self._epoch = -1
        self._order = torch.empty(0)

    def indices(self, step: int) -> Tensor:
        """Return the (batch_size,) int64 indices of a step."""
        per_epoch = self.count // self.batch_size
        epoch, place = divmod(step, per_epoch)
        if epoch != self._epoch:
            generator = torch.Generator(self.device).manual_seed(stream_seed(self.seed, self.name, epoch))
            self._order = torch.randperm(self.count, generator=generator, device=self.device)
            self._epoch = epoch
        return self._order[place * self.batch_size : (place + 1) * self.batch_size]


class Batches:
    """Training batches of a pair, made on the device: index, cast, augmentation; no workers and no host sync.

    Parameters
    ----------
    source_images, source_labels
        (N, C, H, W) uint8 and (N,) int64.
    target_images
        (M, C, H, W) uint8.
    batch_size
        Images per domain.
    augmentation
        Applied to both domains with independent random numbers, to the target but for its ``of_source``.
    seed
        Fixes order and augmentation.
    device
        Where the images are kept and the batches are made.
    second_view
        Whether each batch holds ``target_again``; all else in it stays the same.

    Raises
    ------
    UserError
        If a domain has fewer images than a batch, or source images shall be painted and have another shape than the
        target's.
    """

    def __init__(
        self,
        source_images: Tensor,
        source_labels: Tensor,
        target_images: Tensor,
        batch_size: int,
        augmentation: Augmentation,
        seed: int,
        device: torch.device | str = "cpu",
        second_view: bool = False,
    ) -> None:
        device = torch.device(device)
        for name, images in (("source", source_images), ("target", target_images)):
            if len(images) < batch_size:
                raise UserError(
                    f"the {name} domain has {len(images)} training images, fewer than one batch of {batch_size}: "
                    "lower batch_size or add images"
                )
        shapes = [tuple(images.shape[1:]) for images in (source_images, target_images)]
        if augmentation.painted and shapes[0] != shapes[1]:
            raise UserError(
                f"augmentation.painted is {augmentation.painted}, but source images are {shapes[0]} and target images "
                f"{shapes[1]}: paint where both have the same shape"
            )
        self.source_images = source_images.to(device)
        self.source_labels = source_labels.to(device)
        self.target_images = target_images.to(device)
        self.augmentation, self._of_target = augmentation, augmentation.of_target
        self.seed = seed
        self.second_view = second_view
        self.batch_size = batch_size
        self._source = Shuffle("source", len(source_images), batch_size, seed, device)
        self._target = Shuffle("target", len(target_images), batch_size, seed, device)
        self.generator = torch.Generator(device)

    def at(self, step: int) -> Batch:
        """Return the batch of a step; the same step gives the same batch."""
        self.reseed(step)
        return self.make(*self.indices(step))

    def indices(self, step: int) -> tuple[Tensor, Tensor]:
        """Return where in the training sets the images of a step stand: (batch_size,) int64 of source and target."""
        return self._source.indices(step), self._target.indices(step)

    def reseed(self, step: int) -> None:
        """Seed `generator` for the augmentation of a step."""
        self.generator.manual_seed(stream_seed(self.seed, "augmentation", step))

    def make(self, source: Tensor, target: Tensor) -> Batch:
        """Return the batch of these indices, augmented by what `generator` draws next."""
        how = self.augmentation, self.generator
        raw, of_target = self.target_images[target], (self._of_target, self.generator)
        source_placed = place(self.source_images[source], *how)
        source_images = recolour(self._painted(source_placed, raw), *how)
        target_placed = place(raw, *of_target)
        target_images = recolour(target_placed, *of_target)
        again = augment(raw, *of_target) if self.second_view else None
        labels = self.source_labels[source]
        return Batch(source_images, labels, target_images, target, again, source_placed, target_placed)

    def _painted(self, drawings: Tensor, pictures: Tensor) -> Tensor:
        """Paint source images with patches of uint8 target images."""
        share = self.augmentation.painted
        return paint(drawings, to_float(pictures), share, self.generator) if share else drawings


def stream_seed(*parts: int | str) -> int:
    """Return a generator seed that differs wherever any part does.

    A hash, because a CPU generator of torch reads the low 32 bits of its seed alone: what is packed above is lost.
    """
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1

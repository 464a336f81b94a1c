"""The whole domain on the device as uint8; a batch is an index, a cast and an augmentation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from uda.data.neutral import added
from uda.data.texture import draw_textures
from uda.data.tone import bend
from uda.errors import UserError, unknown


@dataclass(frozen=True)
class Augmentation:
    """What is done to each training image, each image for itself; every switch is off by default.

    Attributes
    ----------
    shift
        Largest translation in pixels, in each direction; whole pixels, uniform.
    affine
        Standard deviation of the Gaussian that is added to each entry of the 2x2 identity.
    flip
        Whether half of the images have their intensities inverted (x -> -x).
    scale_low, scale_high
        Intensities are multiplied by a uniform number between the two.
    offset
        A uniform number in [-offset, offset] is added to the intensities (which span [-1, 1]).
    noise
        Standard deviation of Gaussian noise on each value.
    padding
        What moves in from outside: ``"black"`` or ``"reflection"``.
    colour
        Whether inversion, factor and offset are drawn for each channel, which colours grey images, or for each image.
    texture
        How much the factor varies over an image: it is multiplied by 1 + t f, where f is a random field with the
        spectrum of photographs (`draw_textures`; by channel with ``colour``) and t uniform in [0, texture], each image
        its own. Above about 1 the factor changes its sign here and there, so that strokes are darker than what is
        around them in one place and lighter in another.
    tone
        Largest steepness of a tone curve (`bend`) that comes before all other changes of intensities; each image draws
        its own, uniform in [0, tone], and its threshold, uniform in [-1, 1]. It gives the strokes of digits other
        widths and harder edges.
    of_source
        Names of switches that are on for source images alone.
    """

    shift: int = 0
    affine: float = 0.0
    flip: bool = False
    scale_low: float = 1.0
    scale_high: float = 1.0
    offset: float = 0.0
    noise: float = 0.0
    padding: str = "black"
    colour: bool = added(False)
    texture: float = added(0.0)
    tone: float = added(0.0)
    of_source: tuple[str, ...] = added(())

    def __post_init__(self) -> None:
        if self.padding not in ("black", "reflection"):
            raise unknown("augmentation padding", self.padding, ("black", "reflection"))
        for name in ("shift", "affine", "offset", "noise", "texture", "tone"):
            if getattr(self, name) < 0:
                raise UserError(f"augmentation.{name} is {getattr(self, name)}: it must be 0 (off) or positive")
        if self.scale_low > self.scale_high:
            raise UserError(f"augmentation.scale_low {self.scale_low} is above scale_high {self.scale_high}: swap them")
        for name in self.of_source:
            if name not in _NEUTRAL:
                raise unknown("switch in augmentation.of_source", name, _NEUTRAL)

    @property
    def of_target(self) -> Augmentation:
        """What is done to target images: all but ``of_source``."""
        return replace(self, of_source=(), **{name: _NEUTRAL[name] for name in self.of_source})

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Augmentation:
        """Build from plain values; an unknown key is a `UserError` that names the nearest known one."""
        known = [f.name for f in fields(cls)]
        for key in values:
            if key not in known:
                raise unknown("augmentation", key, known)
        return cls(**{**values, "of_source": tuple(values.get("of_source", ()))})


#: Switches of an `Augmentation` by name, and the values at which they change nothing.
_NEUTRAL: dict[str, Any] = {f.name: f.default for f in fields(Augmentation) if f.name not in ("of_source", "padding")}


def to_float(images: Tensor) -> Tensor:
    """Map uint8 0..255 to float32 in [-1, 1]."""
    return images.float() / 127.5 - 1.0


def move(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Shift and deform (N, C, H, W) float images in [-1, 1], each with its own affine map, in one resampling."""
    n, _, height, width = images.shape
    device = images.device
    matrix = torch.eye(2, 3, device=device).repeat(n, 1, 1)
    if augmentation.affine:
        matrix[:, :, :2] += augmentation.affine * torch.randn(n, 2, 2, device=device, generator=generator)
    if augmentation.shift:
        span = 2 * augmentation.shift + 1
        pixels = torch.randint(span, (n, 2), device=device, generator=generator) - augmentation.shift
        matrix[:, 0, 2] = pixels[:, 0] * (2.0 / width)
        matrix[:, 1, 2] = pixels[:, 1] * (2.0 / height)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    if augmentation.padding == "reflection":
        return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    return F.grid_sample(images + 1.0, grid, padding_mode="zeros", align_corners=False) - 1.0


def augment(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Augment a batch of uint8 images.

    Parameters
    ----------
    images
        (N, C, H, W) uint8.
    augmentation
        The switches.
    generator
        On the device of the images; the result depends on nothing else.

    Returns
    -------
    Tensor
        (N, C, H, W) float32; in [-1, 1] unless scale, texture, offset or noise lead outside.
    """
    return recolour(place(images, augmentation, generator), augmentation, generator)


def place(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Do the first half of `augment`: to float32 in [-1, 1], shifted and deformed."""
    out = to_float(images)
    return move(out, augmentation, generator) if augmentation.shift or augmentation.affine else out


def recolour(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Do the second half of `augment`: intensities of (N, C, H, W) images in [-1, 1]; what is off changes nothing."""
    out = images
    if augmentation.tone:
        steepness, threshold = torch.rand(2, len(out), 1, 1, 1, device=out.device, generator=generator)
        out = bend(out, augmentation.tone * steepness, 2.0 * threshold - 1.0)
    shape = (len(out), out.shape[1] if augmentation.colour else 1, 1, 1)
    factor = _factor(shape, augmentation, generator)
    if factor is not None:
        out = out * factor
    if augmentation.texture:
        strength = augmentation.texture * torch.rand(len(out), 1, 1, 1, device=out.device, generator=generator)
        out = out * (1.0 + strength * draw_textures((*shape[:2], *out.shape[2:]), generator))
    if augmentation.offset:
        uniform = torch.rand(shape, device=out.device, generator=generator)
        out = out + augmentation.offset * (2.0 * uniform - 1.0)
    if augmentation.noise:
        out = out + augmentation.noise * torch.randn(out.shape, device=out.device, generator=generator)
    return out


def _factor(shape: tuple[int, ...], augmentation: Augmentation, generator: torch.Generator) -> Tensor | None:
    """Draw factors of a shape from the intensity flip and scale; None where both are off."""
    factor, device = None, generator.device
    if augmentation.flip:
        factor = torch.randint(2, shape, device=device, generator=generator) * 2.0 - 1.0
    low, high = augmentation.scale_low, augmentation.scale_high
    if (low, high) != (1.0, 1.0):
        scale = low + (high - low) * torch.rand(shape, device=device, generator=generator)
        factor = scale if factor is None else factor * scale
    return factor


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
        If a domain has fewer images than a batch.
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
        source_placed = place(self.source_images[source], *how)
        source_images = recolour(source_placed, *how)
        raw, of_target = self.target_images[target], (self._of_target, self.generator)
        target_placed = place(raw, *of_target)
        target_images = recolour(target_placed, *of_target)
        again = augment(raw, *of_target) if self.second_view else None
        labels = self.source_labels[source]
        return Batch(source_images, labels, target_images, target, again, source_placed, target_placed)


def stream_seed(*parts: int | str) -> int:
    """Return a generator seed that differs wherever any part does.

    A hash, because a CPU generator of torch reads the low 32 bits of its seed alone: what is packed above is lost.
    """
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1

"""Augmentation: what is done to training images, each for itself, in one pass from uint8."""

from __future__ import annotations

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
    painted
        Share of source images whose ground and strokes become patches of the batch's target images (`paint`), after all
        that moves them and before all else; they must be light on black, and have the target's channels. Target images
        are never painted.
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
    painted: float = added(0.0)
    of_source: tuple[str, ...] = added(())

    def __post_init__(self) -> None:
        if self.padding not in ("black", "reflection"):
            raise unknown("augmentation padding", self.padding, ("black", "reflection"))
        for name in ("shift", "affine", "offset", "noise", "texture", "tone"):
            if getattr(self, name) < 0:
                raise UserError(f"augmentation.{name} is {getattr(self, name)}: it must be 0 (off) or positive")
        if not 0.0 <= self.painted <= 1.0:
            raise UserError(f"augmentation.painted is {self.painted}: it is a share and must be between 0 and 1")
        if self.scale_low > self.scale_high:
            raise UserError(f"augmentation.scale_low {self.scale_low} is above scale_high {self.scale_high}: swap them")
        for name in self.of_source:
            if name not in _NEUTRAL:
                raise unknown("switch in augmentation.of_source", name, _NEUTRAL)
        low, high = ((1.0 if end in self.of_source else getattr(self, end)) for end in ("scale_low", "scale_high"))
        if low > high:
            raise UserError(
                f"augmentation.of_source names one end of the scale, which leaves the target {low} to {high}: name both"
            )

    @property
    def of_target(self) -> Augmentation:
        """What is done to target images: all but ``of_source``."""
        return replace(self, of_source=(), **{name: _NEUTRAL[name] for name in self.of_source})

    @property
    def notes(self) -> tuple[str, ...]:
        """What a table must say of it: painted source images are made of target images, and partly of that domain."""
        if not self.painted:
            return ()
        return (f"{100 * self.painted:g} % of the source's images painted with patches of the target's",)

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

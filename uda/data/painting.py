"""Painting: a light drawing on black gets its ground and its strokes from patches of other, unlabelled images."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

#: Sides of a patch as shares of the side of the image that it is cut from: most patches then show little of a whole
#: digit, and what they show is drawn larger than any.
_SMALLEST, _LARGEST = 0.25, 0.75


def paint(drawings: Tensor, pictures: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Blend patches of pictures by the intensities of drawings: ground where they are black, strokes where white.

    The ground is a patch of a picture (`cut_patches`). The stroke is the negative of the ground or a patch of another
    picture: that of the two which is easier to tell from the ground, by the mean absolute difference.

    Parameters
    ----------
    drawings
        (N, C, H, W) in [-1, 1], such as digits: light on black.
    pictures
        (N, C, H, W) in [-1, 1]; no image of a domain needs a label for that.
    share
        Share of the drawings that are painted, 0 to 1, drawn for each; the others stay.
    generator
        On the device of the drawings; the result depends on nothing else.

    Returns
    -------
    Tensor
        (N, C, H, W) in [-1, 1].
    """
    n, device = len(drawings), drawings.device
    ground, other = cut_patches(pictures, generator), cut_patches(pictures.flip(0), generator)
    stroke = torch.where(_difference(-ground, ground) > _difference(other, ground), -ground, other)
    painted = torch.rand(n, 1, 1, 1, device=device, generator=generator)
    blend = torch.lerp(ground, stroke, (drawings + 1.0) / 2.0)
    return torch.where(painted < share, blend, drawings)


def cut_patches(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Cut a square of each (N, C, H, W) picture, turned by any angle, and enlarge it bilinearly to (N, C, H, W).

    Its side is uniform between a quarter and three quarters of the picture's, its centre uniform where it would fit
    unturned; corners that lie outside are reflected.
    """
    n, device = len(pictures), pictures.device
    side, angle, across, down = torch.rand(4, n, device=device, generator=generator)
    side = _SMALLEST + (_LARGEST - _SMALLEST) * side
    cos, sin = side * torch.cos(angle * (2 * torch.pi)), side * torch.sin(angle * (2 * torch.pi))
    free = 1.0 - side
    rows = torch.stack([cos, -sin, free * (2 * across - 1)], 1), torch.stack([sin, cos, free * (2 * down - 1)], 1)
    grid = F.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def _difference(one: Tensor, other: Tensor) -> Tensor:
    """Return the mean absolute difference of each of (N, C, H, W) images: (N, 1, 1, 1)."""
    return (one - other).abs().mean((1, 2, 3), keepdim=True)

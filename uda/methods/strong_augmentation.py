"""Strong augmentation of a batch of images on its device: RandAugment's operations, two for each image, then cutout.

E. Cubuk, B. Zoph, J. Shlens, Q. Le, "RandAugment", NeurIPS 2020; T. DeVries, G. Taylor, "Improved Regularization of
Convolutional Neural Networks with Cutout", 2017. Operations and ranges are those of table 12 of FixMatch (K. Sohn et
al., NeurIPS 2020), but for colour, equalise, autocontrast and sharpness, which say little of grey digits. What differs:
operations come in one fixed order, not in the order in which they were drawn, and one that was drawn twice is applied
once.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

#: Operations that `strongly_augment` draws from; a place beyond the last one leaves the image as it is.
OPERATIONS = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y", "brightness", "contrast", "solarize",
              "posterize")  # fmt: skip
#: Operations drawn for each image.
DRAWN = 2
ANGLE, SHEAR, TRANSLATION, SIDE = math.radians(30.0), 0.3, 0.3, 0.5


def strongly_augment(images: Tensor) -> Tensor:
    """Distort each image in its own way, by what torch's global generator draws.

    Parameters
    ----------
    images
        (N, C, S, S) float images; -1 is black, 1 is white.

    Returns
    -------
    Tensor
        (N, C, S, S).
    """
    n, device = len(images), images.device
    places = torch.randint(len(OPERATIONS) + 1, (DRAWN, n), device=device)
    drawn = {name: (places == i).any(0).float() for i, name in enumerate(OPERATIONS)}
    return cut_out(recolour(distort(images, drawn), drawn))


def distort(images: Tensor, drawn: dict[str, Tensor]) -> Tensor:
    """Rotate, shear and translate images, by at most 30 degrees and 0.3 of the image, in one resampling.

    Parameters
    ----------
    images
        (N, C, S, S).
    drawn
        For each operation (N,) of 1 where it is applied and 0 elsewhere.
    """
    n, device = len(images), images.device
    amounts = 2.0 * torch.rand(5, n, device=device) - 1.0
    angle = ANGLE * amounts[0] * drawn["rotate"]
    shear_x, shear_y = SHEAR * amounts[1] * drawn["shear_x"], SHEAR * amounts[2] * drawn["shear_y"]
    # the sides of the grid are 2 long
    shift_x, shift_y = (2 * TRANSLATION * amounts[i] * drawn[f"translate_{axis}"] for i, axis in ((3, "x"), (4, "y")))
    cosine, sine = torch.cos(angle), torch.sin(angle)
    # rotation times shear along x times shear along y
    first = torch.stack([cosine * (1 + shear_x * shear_y) - sine * shear_y, cosine * shear_x - sine, shift_x], 1)
    second = torch.stack([sine * (1 + shear_x * shear_y) + cosine * shear_y, sine * shear_x + cosine, shift_y], 1)
    grid = F.affine_grid(torch.stack([first, second], 1), list(images.shape), align_corners=False)
    return F.grid_sample(images + 1.0, grid, padding_mode="zeros", align_corners=False) - 1.0


def recolour(images: Tensor, drawn: dict[str, Tensor]) -> Tensor:
    """Darken images, flatten their contrast, invert what is bright, and keep few of their levels.

    Parameters
    ----------
    images
        (N, C, S, S).
    drawn
        As for `distort`.
    """
    amounts = torch.rand(4, len(images), 1, 1, 1, device=images.device)
    x = (images + 1.0) / 2.0
    x = _where(drawn["brightness"], x, x * (0.05 + 0.9 * amounts[0]))
    mean = x.mean((1, 2, 3), keepdim=True)
    x = _where(drawn["contrast"], x, mean + (0.05 + 0.9 * amounts[1]) * (x - mean))
    x = _where(drawn["solarize"], x, x + (x >= amounts[2]).float() * (1.0 - 2.0 * x))
    lowest = torch.exp2(torch.floor(5.0 * amounts[3]))  # of the 4 to 8 bits that are left of 8
    x = _where(drawn["posterize"], x, torch.floor(torch.round(255.0 * x) / lowest) * lowest / 255.0)
    return 2.0 * x - 1.0


def cut_out(images: Tensor) -> Tensor:
    """Fill a square in each of (N, C, S, S) images with grey, its side up to half the image's, centred anywhere."""
    n, _, height, width = images.shape
    side, row, column = torch.rand(3, n, 1, device=images.device).unbind()
    rows = (torch.arange(height, device=images.device) + 0.5) / height
    columns = (torch.arange(width, device=images.device) + 0.5) / width
    inside_rows = (rows - row).abs() < SIDE * side / 2
    inside_columns = (columns - column).abs() < SIDE * side / 2
    inside = (inside_rows[:, :, None] & inside_columns[:, None, :]).float()
    return images * (1.0 - inside[:, None])


def _where(chosen: Tensor, images: Tensor, changed: Tensor) -> Tensor:
    """Return the changed images where (N,) ``chosen`` is 1, the others where it is 0."""
    return torch.where(chosen[:, None, None, None] > 0, changed, images)

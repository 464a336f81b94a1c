"""What a protocol does to images: margins, size, channels, inverted copies, class balance. Always uint8 in and out."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from uda.data.domains import Split

CHUNK = 4096  # images at a time, so that what a filter needs between stays small beside the data


def margined(images: Tensor, pixels: int) -> Tensor:
    """Return (N, C, H, W) images with that many black pixels more on each side; ``images`` itself for none."""
    return functional.pad(images, [pixels] * 4) if pixels else images


def resize(images: Tensor, size: int, *, nearest: bool = False) -> Tensor:
    """Resize to ``size`` x ``size``, pixel for pixel as ``torchvision.transforms.v2.functional.resize`` does.

    Parameters
    ----------
    images
        (N, C, H, W) uint8. What is not square is stretched.
    size
        Height and width to give.
    nearest
        By nearest neighbour; bilinear with antialias otherwise.

    Returns
    -------
    Tensor
        (N, C, size, size) uint8; ``images`` itself where nothing is to be done.
    """
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2 import functional as transforms

    if images.shape[2:] == (size, size):
        return images
    interpolation = InterpolationMode.NEAREST if nearest else InterpolationMode.BILINEAR
    resized = torch.empty((*images.shape[:2], size, size), dtype=torch.uint8)
    for start in range(0, len(images), CHUNK):
        chunk = images[start : start + CHUNK]
        resized[start : start + CHUNK] = transforms.resize(chunk, [size, size], interpolation, antialias=not nearest)
    return resized


def fit_channels(images: Tensor, channels: int) -> Tensor:
    """Return (N, ``channels``, H, W): grey is repeated, colour becomes grey by the weights of ITU-R 601-2."""
    from torchvision.transforms.v2 import functional as transforms

    if images.shape[1] == channels:
        return images
    if images.shape[1] == 1:
        return images.repeat(1, channels, 1, 1)
    return torch.cat([transforms.rgb_to_grayscale(chunk) for chunk in torch.split(images, CHUNK)])


def inverted_copies(split: Split) -> Split:
    """Return the split followed by an inverted copy of each image, 255 - v, in the same order and with its label."""
    return replace(split, images=torch.cat([split.images, 255 - split.images]), labels=split.labels.repeat(2))


def class_balanced(split: Split) -> Split:
    """Return the split with the images of smaller classes repeated, in order, until each is as large as the largest.

    The repeated ones follow the split, class by class; classes without images stay empty.
    """
    members = [torch.nonzero(split.labels == label).flatten() for label in range(len(split.class_names))]
    largest = max(len(index) for index in members)
    repeats = [index[torch.arange(len(index), largest) % len(index)] for index in members if len(index)]
    order = torch.cat([torch.arange(len(split)), *repeats])
    return replace(split, images=split.images[order], labels=split.labels[order])

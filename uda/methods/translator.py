"""A network that draws an image of one domain as one of another, place by place: CycleGAN's generator.

J.-Y. Zhu, T. Park, P. Isola, A. Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", ICCV 2017, appendix 7.2. Here zeros are padded where the paper reflects, whose gradient CUDA sums in no fixed
order, and the two convolutions next to the images are 5x5, for images that are small.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uda.errors import UserError
from uda.unit.networks import initialise_generative


class Residual(nn.Module):
    """Two convolutions 3x3 with instance normalisation, whose output is added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_block(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), channels))
        self.last = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        """Map (N, C, s, s) to the same shape."""
        changed: Tensor = F.instance_norm(self.last(self.layers(h)))
        return h + changed


class Translator(nn.Module):
    """Two strided convolutions, residual blocks at a quarter of the side, two transposed convolutions.

    Parameters
    ----------
    channels_in, channels_out
        Image channels of the domain that is read and of the one that is drawn.
    size
        Side of the images, a multiple of 4.
    width
        Channels next to the images; the residual blocks have 4 times as many.
    blocks
        How many residual blocks.

    Raises
    ------
    UserError
        For a side that cannot be halved twice.
    """

    def __init__(self, channels_in: int, channels_out: int, size: int, width: int, blocks: int) -> None:
        super().__init__()
        if size % 4:
            raise UserError(
                f"images of {size} x {size} cannot be translated: choose a protocol whose side is 4, 8, 12, …"
            )
        self.layers = nn.Sequential(
            *_block(nn.Conv2d(channels_in, width, 5, 1, 2, bias=False), width),
            *_block(nn.Conv2d(width, 2 * width, 3, 2, 1, bias=False), 2 * width),
            *_block(nn.Conv2d(2 * width, 4 * width, 3, 2, 1, bias=False), 4 * width),
            *(Residual(4 * width) for _ in range(blocks)),
            *_block(nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1, bias=False), 2 * width),
            *_block(nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False), width),
            nn.Conv2d(width, channels_out, 5, 1, 2),
        )
        initialise_generative(self)

    def forward(self, images: Tensor) -> Tensor:
        """Draw (N, C, S, S) images in the other domain: (N, C', S, S) in [-1, 1]."""
        return torch.tanh(self.layers(images).float())


def _block(convolution: nn.Module, channels: int) -> list[nn.Module]:
    return [convolution, nn.InstanceNorm2d(channels), nn.ReLU()]

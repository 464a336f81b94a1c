"""Convolutions whose kernel is as large as the map: they are linear layers, and matrix products make them faster."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Dimensions of a map or a kernel in the order of their memory, where it is and where it is not channels last.
_CHANNELS_LAST, _CHANNELS_FIRST = (0, 2, 3, 1), (0, 1, 2, 3)


class WholeMap(nn.Conv2d):
    """A convolution that reads a map as a whole, where the map is as large as its kernel; elsewhere it is any other.

    Same parameters and the same values as `torch.nn.Conv2d` without padding.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, C, S, S) to (N, F, 1, 1) where the kernel is S x S."""
        if images.shape[2:] != self.weight.shape[2:]:
            return super().forward(images)
        order = memory_order(self.weight)
        rows, columns = (x.permute(order).flatten(1) for x in (images, self.weight))
        return F.linear(rows, columns, self.bias)[:, :, None, None]


class FromPoint(nn.ConvTranspose2d):
    """A transposed convolution that draws a map from a point, where its input is 1 x 1; elsewhere it is any other.

    Same parameters and the same values as `torch.nn.ConvTranspose2d` without padding and bias.
    """

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map (N, C, 1, 1) to (N, F, S, S), the kernel being S x S."""
        if images.shape[2:] != (1, 1):
            return super().forward(images, output_size)
        channels, *kernel = self.weight.shape[1:]
        order = memory_order(self.weight)
        drawn = images.flatten(1) @ self.weight.permute(order).flatten(1)
        if order == _CHANNELS_FIRST:
            return drawn.view(-1, channels, *kernel)
        return drawn.view(-1, *kernel, channels).permute(0, 3, 1, 2)


def memory_order(weight: Tensor) -> tuple[int, ...]:
    """Return the dimensions of a (F, C, S, S) kernel in the order of its memory, in which flattening copies nothing."""
    last = weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()
    return _CHANNELS_LAST if last else _CHANNELS_FIRST

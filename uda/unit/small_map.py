"""Convolutions whose kernel covers more than the map: linear layers, whose products a CPU makes faster."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Images for each place of the map from which on unrolling the kernel is worth its time.
IMAGES_A_PLACE = 8


class SmallMap(nn.Conv2d):
    """A convolution of stride 1 that keeps the map's side, by an unrolled kernel where that is faster.

    It is faster on a CPU, for a batch, on maps with no more places than the kernel has: there a library multiplies by
    more zeros of the padding than the unrolled kernel has, and its gradient of the weights takes five times as long as
    its forward pass. Same parameters and the same values as `torch.nn.Conv2d`, with an odd kernel and half of it,
    rounded down, as padding.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, C, S, S) to (N, F, S, S)."""
        n, side = len(images), images.shape[2]
        places = side * images.shape[3]
        if images.is_cuda or places > self.kernel_size[0] ** 2 or n < IMAGES_A_PLACE * places:
            return super().forward(images)
        weight = self.weight
        if torch.is_autocast_enabled("cpu"):
            weight = weight.to(torch.get_autocast_dtype("cpu"))
        bias = None if self.bias is None else self.bias.repeat(places)
        matrix: Tensor = Unrolled.apply(weight, side)
        drawn = F.linear(images.permute(0, 2, 3, 1).flatten(1), matrix, bias)
        return drawn.view(n, side, side, -1).permute(0, 3, 1, 2)


class Unrolled(torch.autograd.Function):
    """A kernel as the matrix that maps a whole map to a whole map, padding by zeros included.

    Entry ((y', x', f), (y, x, c)) is the weight by which channel c at (y, x) counts for feature f at (y', x').
    """

    @staticmethod
    def forward(ctx: Any, kernel: Tensor, side: int) -> Tensor:
        """Unroll a (F, C, K, K) kernel for maps of S x S: (S S F, S S C)."""
        features, channels, size, _ = kernel.shape
        reach = max(side - 1 - size // 2, 0)
        ctx.side, ctx.reach, ctx.shape, ctx.dtype = side, reach, kernel.shape, kernel.dtype
        wide = F.pad(kernel.permute(0, 2, 3, 1), (0, 0, reach, reach, reach, reach)).contiguous()
        matrix = kernel.new_empty(side, side, features, side, side, channels)
        for y, x, window in windows(wide, side):
            matrix[y, x] = window
        return matrix.view(side * side * features, side * side * channels)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Sum the gradient of a weight over the places where it stands."""
        (features, channels, size, _), reach = ctx.shape, ctx.reach
        placed = gradients[0].view(ctx.side, ctx.side, features, ctx.side, ctx.side, channels)
        reached = size + 2 * reach
        wide = placed.new_zeros(
            features, reached, reached, channels, dtype=torch.promote_types(placed.dtype, torch.float32)
        )
        for y, x, window in windows(wide, ctx.side):
            window += placed[y, x]
        return wide[:, reach : reach + size, reach : reach + size].permute(0, 3, 1, 2).to(ctx.dtype), None


def windows(wide: Tensor, side: int) -> list[tuple[int, int, Tensor]]:
    """Return for each place (y, x) of a map the window of (F, K, K, C) weights through which it sees the whole map."""
    last = wide.shape[1] // 2
    places = range(side)
    return [(y, x, wide[:, last - y : last - y + side, last - x : last - x + side]) for y in places for x in places]

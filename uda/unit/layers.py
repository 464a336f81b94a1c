"""What the coupled networks are made of: layers that the domains share, and layers that each has of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Layout:
    """How parts are joined on the batch axis: their sizes and domains, and whether running statistics follow them."""

    sizes: tuple[int, ...]
    domains: tuple[int, ...]
    track: bool = True


class PartNorm(nn.Module):
    """Batch normalisation without scale, then a learned bias per channel.

    Parameters
    ----------
    channels
        Channels of its input.
    domains
        Number of domains.
    per_domain
        Whether each domain has its own statistics (batch and running), or all parts of a batch are normalised
        together, as the UNIT authors' code does. The bias is shared either way.
    """

    def __init__(self, channels: int, domains: int, per_domain: bool) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels, affine=False) for _ in range(domains if per_domain else 1))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.ones: Tensor
        self.register_buffer("ones", torch.ones(channels), persistent=False)

    def forward(self, images: Tensor, layout: Layout) -> Tensor:
        """Normalise (N, C, H, W), the joined parts that the layout describes."""
        if len(self.norms) == 1:
            return self._norm(images, 0, layout.track)
        pieces = torch.split(images, list(layout.sizes))
        normed = [self._norm(piece, d, layout.track) for piece, d in zip(pieces, layout.domains, strict=True)]
        return torch.cat(normed) if len(normed) > 1 else normed[0]

    def _norm(self, images: Tensor, which: int, track: bool) -> Tensor:
        norm = cast(nn.BatchNorm2d, self.norms[which])
        mean, variance = norm.running_mean, norm.running_var
        if self.training and not track:
            mean = variance = None
        # CUDA's has no gradient of a bias without a scale
        scale = self.ones if images.is_cuda else None
        return F.batch_norm(images, mean, variance, scale, self.bias, self.training, 0.1, norm.eps)


class Block(nn.Module):
    """Convolution (or transposed convolution), normalisation, bias, leaky ReLU (slope 0.01)."""

    def __init__(self, convolution: nn.Module, channels: int, domains: int, per_domain: bool) -> None:
        super().__init__()
        self.convolution = convolution
        self.norm = PartNorm(channels, domains, per_domain)

    def forward(self, images: Tensor, layout: Layout) -> Tensor:
        """Apply the block to parts that are joined on the batch axis."""
        return F.leaky_relu(self.norm(self.convolution(images), layout), 0.01, inplace=True)


def apply(layer: nn.Module, h: Tensor, layout: Layout) -> Tensor:
    """Apply a layer to joined parts: a shared one to all, one that each domain has of its own to each part for itself.

    Parameters
    ----------
    layer
        A `Block` or a convolution; or a list of those, one for each domain.
    h
        (N, C, S, S).
    layout
        How the parts are joined in it.
    """
    if isinstance(layer, nn.ModuleList):
        pieces = torch.split(h, list(layout.sizes))
        parts = zip(pieces, layout.domains, strict=True)
        return torch.cat([apply(layer[d], piece, Layout((len(piece),), (d,), layout.track)) for piece, d in parts])
    applied: Tensor = layer(h, layout) if isinstance(layer, Block) else layer(h)
    return applied


def for_each_domain(own: bool, domains: int, build: Callable[[], nn.Module]) -> nn.Module:
    """Build a layer that the domains share, or one for each of them."""
    return nn.ModuleList(build() for _ in range(domains)) if own else build()

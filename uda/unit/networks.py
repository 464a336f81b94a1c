"""Encoder, generator and discriminator as coupled pairs: low-level layers per domain, high-level layers shared.

A pair takes *parts*: a list of tensors with the domain (0 source, 1 target) that each belongs to. The parts meet on
the batch axis in the shared layers, so one call serves both domains at the cost of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uda.errors import UserError
from uda.unit.dropout import dropout
from uda.unit.layers import Block, Layout, apply, for_each_domain
from uda.unit.small_gradient import FromSmallMap
from uda.unit.trunk import Step, plan, shared_layers
from uda.unit.whole_map import FromPoint, WholeMap

Parts = Sequence[tuple[Tensor, int]]


def coordinates(images: Tensor) -> Tensor:
    """Append row and column channels, from -1 to 1 - 2/S as in the authors' code: (N, C, S, S) -> (N, C+2, S, S)."""
    n, _, height, width = images.shape
    rows = torch.arange(height, device=images.device, dtype=images.dtype) * (2.0 / height) - 1.0
    columns = torch.arange(width, device=images.device, dtype=images.dtype) * (2.0 / width) - 1.0
    return torch.cat(
        [images, rows.view(1, 1, -1, 1).expand(n, 1, height, width), columns.expand(n, 1, height, width)], dim=1
    )


def standardise(images: Tensor) -> Tensor:
    """Give each of (N, C, S, S) images zero mean and unit standard deviation over all its values."""
    x = images.float()
    centred = x - x.mean((1, 2, 3), keepdim=True)
    # by its norm, not by torch.std_mean, which takes ten times as long on a CPU
    norm = torch.linalg.vector_norm(centred.flatten(1), dim=1)[:, None, None, None]
    standardised: Tensor = centred / (norm / (x[0].numel() - 1) ** 0.5 + 1e-3)
    return standardised


def own_count(network: str, asked: int, shared: int) -> int:
    """Return how many of the ``shared`` layers of a pair of networks each domain has of its own: all for -1.

    Raises
    ------
    UserError
        For more than there are.
    """
    if not -1 <= asked <= shared:
        raise UserError(
            f"own_{network} is {asked}, but {network}s of images of this size share {shared} layers: "
            f"set it to 0 to {shared}, or to -1 for all"
        )
    return shared if asked == -1 else asked


def encoder_sizes(size: int) -> list[int]:
    """Sides of the maps that the stride-2 layers of the encoder leave: halved until at most 8."""
    sides = [size]
    while sides[-1] > 8:
        sides.append((sides[-1] + 1) // 2)
    return sides[1:]


def generator_sizes(size: int) -> list[int]:
    """Sides of the maps of the generator, first to last; doubled from the largest divisor of at most 7 (at least 4)."""
    sides = [size]
    while sides[0] > 7 and sides[0] % 2 == 0:
        sides.insert(0, sides[0] // 2)
    return sides


def shared_steps(sides: Sequence[int], width: int, depth: int) -> list[tuple[int, int, int, int, int]]:
    """Channels in and out, kernel, stride and padding of what follows an encoder's first convolution, but the codes.

    Parameters
    ----------
    sides
        Of the maps that the convolutions of stride 2 leave, the first one's too.
    width
        Channels of the first; each that halves the map doubles them, up to 8 times, and so does each of the last two.
    depth
        How many 3x3 convolutions of stride 1 follow each that halves the map.

    Raises
    ------
    UserError
        For a negative depth.
    """
    if depth < 0:
        raise UserError(f"depth is {depth}: it must be 0 (the authors' encoder) or more")
    widths = [width * min(2**i, 8) for i in range(len(sides) + 2)]
    steps = [(width, width, 3, 1, 1)] * depth
    for n, wide in pairwise(widths[: len(sides)]):
        steps += [(n, wide, 5, 2, 2), *[(wide, wide, 3, 1, 1)] * depth]
    n, wide, last = widths[-3:]
    return [*steps, (n, wide, sides[-1], 1, 0), (wide, last, 1, 1, 0)]


class Encoder(nn.Module):
    """Coupled encoders E1, E2: the first convolution is the domain's own, further layers are shared.

    Parameters
    ----------
    channels
        Image channels of each domain.
    size
        Side of the (square) images; any of 16, 28, 32, 64, ….
    width
        Channels of the first layer; each layer doubles it up to 8 times.
    latent
        Channels of the latent code.
    per_domain
        Whether normalisation statistics are kept per domain (see `PartNorm`).
    own_first
        Whether the first convolution is each domain's own, as in the paper, or shared too (needs equal channels).
    xy
        Whether coordinate channels are appended to the input.
    learned_sd
        Whether the code's standard deviation is predicted (the authors' code) or 1 (the paper).
    standardised
        Whether each image is given zero mean and unit variance first.
    own
        How many further layers, after the first, each domain has of its own; -1 means all, the last one too, which
        gives the codes.
    depth
        How many 3x3 convolutions of stride 1 follow each that halves the map (the authors': 0).
    """

    def __init__(
        self,
        channels: Sequence[int],
        size: int,
        width: int,
        latent: int,
        per_domain: bool = True,
        own_first: bool = True,
        xy: bool = False,
        learned_sd: bool = False,
        standardised: bool = False,
        own: int = 0,
        depth: int = 0,
    ) -> None:
        super().__init__()
        if not own_first:
            refuse_unequal(channels, "own_first is false", "one first layer cannot read both")
        self.xy, self.latent, self.own_first, self.standardised = xy, latent, own_first, standardised
        domains = len(channels)
        sides = encoder_sizes(size)
        extra = 2 if xy else 0
        self.private = nn.ModuleList(
            Block(nn.Conv2d(c + extra, width, 5, 2, 2, bias=False), width, domains, per_domain and not own_first)
            for c in (channels if own_first else channels[:1])
        )
        steps = shared_steps(sides, width, depth)
        own = own_count("encoder", own, len(steps) + 1)

        def block(i: int) -> Block:
            n, wide, kernel, stride, padding = steps[i]
            kind = nn.Conv2d if padding else WholeMap
            return Block(kind(n, wide, kernel, stride, padding, bias=False), wide, domains, per_domain and i >= own)

        def code() -> nn.Module:
            return for_each_domain(own > len(steps), domains, partial(WholeMap, steps[-1][1], latent, 1))

        self.shared = nn.ModuleList(for_each_domain(i < own, domains, partial(block, i)) for i in range(len(steps)))
        self.mean = code()
        self.raw_sd = code() if learned_sd else None

    def forward(self, parts: Parts, track: bool = True) -> list[tuple[Tensor, Tensor | None]]:
        """Encode parts of images.

        Parameters
        ----------
        parts
            (N, C, S, S) images in [-1, 1], each with its domain.
        track
            Whether the running statistics follow this batch (in training). Off for generated images, so that
            what is used at test time is the statistics of real ones.

        Returns
        -------
        list
            For each part the (N, latent) mean and standard deviation (None: 1).
        """
        layout = _layout(parts, track)
        low = [
            self.private[d if self.own_first else 0](self._seen(x), Layout((len(x),), (d,), track)) for x, d in parts
        ]
        h = torch.cat(low) if len(low) > 1 else low[0]
        for layer in self.shared:
            h = apply(layer, h, layout)
        means = torch.split(apply(self.mean, h, layout).flatten(1).float(), list(layout.sizes))
        if self.raw_sd is None:
            return [(m, None) for m in means]
        sds = torch.split(F.softplus(apply(self.raw_sd, h, layout).flatten(1).float()), list(layout.sizes))
        return list(zip(means, sds, strict=True))

    def _seen(self, images: Tensor) -> Tensor:
        """Return what the first convolution reads of (N, C, S, S) images."""
        seen = standardise(images) if self.standardised else images
        return coordinates(seen) if self.xy else seen


class Generator(nn.Module):
    """Coupled generators G1, G2: the first layers are shared, the last two are the domain's own.

    Parameters
    ----------
    channels
        Image channels of each domain.
    size
        Side of the images.
    width
        Channels of the last hidden layer; each layer before has twice as many, up to 8 times.
    latent
        Channels of the latent code.
    own
        How many further layers, before the last two, each domain has of its own; -1 means all.
    """

    def __init__(self, channels: Sequence[int], size: int, width: int, latent: int, own: int = 0) -> None:
        super().__init__()
        sides = generator_sizes(size)
        widths = [width * min(8, 2 ** (len(sides) - 1 - i)) for i in range(len(sides))]
        steps = [(latent, widths[0], sides[0], 1, 0), *((n, wide, 4, 2, 1) for n, wide in pairwise(widths[:-1]))]
        shared = len(steps) - own_count("generator", own, len(steps))

        def block(n: int, wide: int, kernel: int, stride: int, padding: int) -> Block:
            kind = FromSmallMap if padding else FromPoint
            return Block(kind(n, wide, kernel, stride, padding, bias=False), wide, 1, False)

        self.shared = nn.ModuleList(block(*step) for step in steps[:shared])
        self.own = nn.ModuleList(nn.ModuleList(block(*step) for step in steps[shared:]) for _ in channels)
        self.private = nn.ModuleList(
            Block(nn.ConvTranspose2d(widths[-2], width, 4, 2, 1, bias=False), width, 1, False) for _ in channels
        )
        self.image = nn.ModuleList(nn.ConvTranspose2d(width, c, 1) for c in channels)

    def high(self, codes: Tensor) -> Tensor:
        """Map (N, latent) codes to the shared representation h of equation (1)."""
        h = codes[:, :, None, None]
        for layer in self.shared:
            h = layer(h, _whole(h))
        return h

    def low(self, h: Tensor, domain: int) -> Tensor:
        """Draw h in a domain: (N, C, S, S) in [-1, 1]."""
        for layer in cast(nn.ModuleList, self.own[domain]):
            h = layer(h, _whole(h))
        drawn = self.private[domain](h, _whole(h))
        return torch.tanh(self.image[domain](drawn).float())

    def forward(self, codes: Tensor, domain: int) -> Tensor:
        """Decode (N, latent) codes into images of a domain, (N, C, S, S) in [-1, 1]."""
        return self.low(self.high(codes), domain)


class Discriminator(nn.Module):
    """Coupled discriminators D1, D2: the first convolution is the domain's own, further layers are shared.

    Convolutions, ReLU, mostly 2x2 max pooling, and dropout, no normalisation, as a trunk has them (`uda.unit.trunk`);
    then a verdict of the whole map.

    Parameters
    ----------
    channels
        Image channels of each domain.
    size
        Side of the images.
    width
        Channels of the first convolution; the trunk says what the others have.
    dropout
        Whether dropout is on.
    own_first
        Whether the first convolution is each domain's own, as in the paper, or shared too (needs equal channels).
    own
        How many further layers, after the first, each domain has of its own; -1 means all, the verdict too.
    trunk
        ``"blocks"`` (the authors' code) or ``"lenet"`` (the paper's for MNIST and USPS).
    """

    def __init__(
        self,
        channels: Sequence[int],
        size: int,
        width: int,
        dropout: bool = True,
        own_first: bool = True,
        own: int = 0,
        trunk: str = "blocks",
    ) -> None:
        super().__init__()
        if not own_first:
            refuse_unequal(channels, "own_first is false", "one first layer cannot read both")
        self.own_first, self.dropout = own_first, dropout
        self.steps, side = plan(trunk, size, width)
        first, last = self.steps[0], self.steps[-1]
        reach = first.kernel // 2 if first.padded else 0
        self.private = nn.ModuleList(
            nn.Conv2d(c, first.channels, first.kernel, 1, reach) for c in (channels if own_first else channels[:1])
        )
        domains, build = len(channels), shared_layers(self.steps)
        own = own_count("discriminator", own, len(build) + 1)
        self.shared = nn.ModuleList(for_each_domain(i < own, domains, layer) for i, layer in enumerate(build))
        self.verdict = for_each_domain(own > len(build), domains, partial(WholeMap, last.channels, 2, side))
        self.feature_shape = (last.channels, side, side)

    def features(self, parts: Parts, pairs: int = 0) -> tuple[Tensor, Tensor]:
        """Return the last map of all parts, joined, (N, F, s, s); and of the last ``pairs`` parts without any dropout.

        Features that are to be alike are matched without the noise of dropout, as in the authors' code.
        """
        h = torch.cat([self._block(self.steps[0], self.private[d if self.own_first else 0], x) for x, d in parts])
        last, dropping = self._later(h, parts, self.dropout), any(step.rate for step in self.steps[:-1])
        count = sum(len(x) for x, _ in parts[len(parts) - pairs :])
        paired = last[len(h) - count :]
        if pairs and dropping and self.training and self.dropout:
            paired = self._later(h[len(h) - count :], parts[len(parts) - pairs :], False)
        return self._drop(last, self.steps[-1]), paired

    def forward(self, parts: Parts) -> list[Tensor]:
        """Return for each part the (N, 2) logits of (generated, real)."""
        features, _ = self.features(parts)
        return self.judge(features, [len(x) for x, _ in parts], [d for _, d in parts])

    def judge(self, features: Tensor, sizes: Sequence[int], domains: Sequence[int] = ()) -> list[Tensor]:
        """Return the (N, 2) logits of (generated, real) for each part of joined features.

        The parts' domains are needed only where each has a verdict of its own.
        """
        verdicts = apply(self.verdict, features, Layout(tuple(sizes), tuple(domains)))
        return list(torch.split(verdicts.flatten(1).float(), list(sizes)))

    def _later(self, h: Tensor, parts: Parts, dropout: bool) -> Tensor:
        """Return the last map of parts whose first is given, before its own dropout."""
        layout, step = _layout(parts), self.steps[0]
        for layer, following in zip(self.shared, self.steps[1:], strict=True):
            h = self._block(following, partial(apply, layer, layout=layout), self._drop(h, step) if dropout else h)
            step = following
        return h

    def _drop(self, h: Tensor, step: Step) -> Tensor:
        return dropout(h, step.rate, self.training and self.dropout) if step.rate else h

    @staticmethod
    def _block(step: Step, convolution: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        h = convolution(images)
        # the maximum first: the same values and gradients, and a quarter of the values to rectify
        return F.relu(F.max_pool2d(h, 2) if step.pooled else h, inplace=True)


def refuse_unequal(channels: Sequence[int], setting: str, why: str) -> None:
    """Raise `UserError` for a setting that needs domains of equally many channels, where they are not."""
    if len(set(channels)) > 1:
        raise UserError(f"{setting}, but the domains have {channels} channels: {why}")


def _layout(parts: Parts, track: bool = True) -> Layout:
    return Layout(tuple(len(x) for x, _ in parts), tuple(d for _, d in parts), track)


def _whole(h: Tensor) -> Layout:
    return Layout((len(h),), (0,))


def initialise_generative(network: nn.Module) -> None:
    """Set the weights of encoders and generators as the authors' code does: N(0, 0.02), biases N(0, 0.002)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.002)


def initialise_discriminative(network: nn.Module) -> None:
    """Set the weights of discriminators as the authors' code does: Xavier uniform, gain sqrt 2, biases 0.1."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_uniform_(module.weight, gain=2.0**0.5)
            if module.bias is not None:
                nn.init.constant_(module.bias, 0.1)

"""UNIT: the coupled networks, their streams, and the alternating game that they play."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from uda.errors import unknown
from uda.unit.networks import (
    Discriminator,
    Encoder,
    Generator,
    initialise_discriminative,
    initialise_generative,
    refuse_unequal,
)


@dataclass(frozen=True)
class Code:
    """The distribution of latent codes q(z|x) of a batch: (N, Z) mean and standard deviation (None: 1)."""

    mean: Tensor
    sd: Tensor | None

    def first(self, count: int) -> Code:
        """Return the distributions of the first images."""
        return Code(self.mean[:count], None if self.sd is None else self.sd[:count])

    def sample(self) -> Tensor:
        """Draw z = mean + sd * eta with eta ~ N(0, I): (N, Z)."""
        eta = torch.randn_like(self.mean)
        return self.mean + (eta if self.sd is None else self.sd * eta)


@dataclass(frozen=True)
class Streams:
    """What the reconstruction and translation streams give for a batch; domain 1 is the source, 2 the target.

    ``x_12`` is the source batch drawn in the target domain; ``x_11`` its reconstruction. The codes may be of more
    images than are drawn: those are the first ones.
    """

    code_1: Code
    code_2: Code
    x_11: Tensor
    x_22: Tensor
    x_12: Tensor
    x_21: Tensor


@dataclass(frozen=True)
class Cycles:
    """What the cycle-reconstruction streams give: codes of the translations, and the twice translated images."""

    code_12: Code
    code_21: Code
    x_121: Tensor
    x_212: Tensor


ROLES = {
    "vae": ("E", "G"),
    "image-translator": ("E", "G'"),
    "gan": ("G", "D"),
    "vae-gan": ("E", "G", "D"),
    "cogan": ("G", "G'", "D", "D'"),
}


class Half(nn.Module):
    """One domain's network out of a coupled pair, holding the very tensors of the pair: its own and the shared ones."""

    def __init__(self, pair: Encoder | Generator | Discriminator, domain: int) -> None:
        super().__init__()
        self.domain = domain
        for name, module in pair.named_children():
            if name == "shared":  # a list in it has one layer for each domain
                layers = cast(nn.ModuleList, module)
                self.shared = nn.ModuleList(x[domain] if isinstance(x, nn.ModuleList) else x for x in layers)
            else:
                self.add_module(name, module[domain % len(module)] if isinstance(module, nn.ModuleList) else module)
        self._pair = (pair,)  # in a tuple: registered, it would add the other domain's parameters

    def forward(self, inputs: Tensor) -> Tensor:
        """Encode to means, decode to images, or judge: what the pair does, for this domain."""
        pair = self._pair[0]
        outputs: Tensor
        if isinstance(pair, Encoder):
            outputs = pair([(inputs, self.domain)])[0][0]
        elif isinstance(pair, Generator):
            outputs = pair(inputs, self.domain)
        else:
            outputs = pair([(inputs, self.domain)])[0]
        return outputs


def copy_to_second(pair: Encoder | Generator | Discriminator) -> None:
    """Give the second domain's own layers the weights of the first's."""
    with torch.no_grad():
        for mine, others in zip(Half(pair, 0).parameters(), Half(pair, 1).parameters(), strict=True):
            others.copy_(mine)


class UNIT(nn.Module):
    """Six networks in three coupled pairs (section 3 of the paper, figure 1).

    Parameters
    ----------
    channels
        Image channels of source and target.
    size
        Side of the images (28, 32, 64, …); the number of down-samplings follows from it.
    width
        Width of the encoders.
    generator_width, discriminator_width
        Width of the generators and of the discriminators; 0 means that of the encoders.
    latent
        Dimensions of the latent space; 0 means 8 times the width, as in the authors' code.
    per_domain
        Whether the encoders' normalisation statistics are kept per domain.
    own_first
        Whether the first layer of encoders and discriminators is each domain's own, as in the paper, or shared too.
    xy
        Whether coordinate channels are appended to what the encoders see.
    learned_sd
        Whether the codes' standard deviation is predicted instead of 1.
    dropout
        Whether the discriminators drop out.
    standardised
        Whether the encoders give each image zero mean and unit variance first.
    own_encoder, own_generator, own_discriminator
        How many further layers of these, counted from the images, each domain has of its own; -1 means all.
    depth
        How many 3x3 convolutions of stride 1 follow each of the encoders' that halves the map (the authors': 0).
    trunk
        What the discriminators are made of: ``"blocks"`` (the authors' code) or ``"lenet"`` (the paper's for MNIST and
        USPS).
    begin_alike
        Whether the layers that each domain has of its own begin with the same weights in both, so that a translation is
        at first a reconstruction (needs equal channels); drawn apart otherwise, as in the authors' code.
    """

    def __init__(
        self,
        channels: Sequence[int],
        size: int,
        width: int,
        generator_width: int = 0,
        discriminator_width: int = 0,
        latent: int = 0,
        per_domain: bool = True,
        own_first: bool = True,
        xy: bool = False,
        learned_sd: bool = False,
        dropout: bool = True,
        standardised: bool = False,
        own_encoder: int = 0,
        own_generator: int = 0,
        own_discriminator: int = 0,
        depth: int = 0,
        trunk: str = "blocks",
        begin_alike: bool = False,
    ) -> None:
        super().__init__()
        latent = latent or 8 * width
        reading = per_domain, own_first, xy, learned_sd, standardised, own_encoder, depth
        judging = dropout, own_first, own_discriminator, trunk
        self.encoder = Encoder(channels, size, width, latent, *reading)
        self.generator = Generator(channels, size, generator_width or width, latent, own_generator)
        self.discriminator = Discriminator(channels, size, discriminator_width or width, *judging)
        initialise_generative(self.encoder)
        initialise_generative(self.generator)
        initialise_discriminative(self.discriminator)
        if begin_alike:
            refuse_unequal(channels, "begin_alike is true", "set it to false")
            for pair in (self.encoder, self.generator, self.discriminator):
                copy_to_second(pair)

    def codes(self, *parts: tuple[Tensor, int], track: bool = True) -> list[Code]:
        """Encode parts of images, (N, C, S, S) in [-1, 1], each of its domain, in one pass (``track``: see Encoder)."""
        return [Code(mean, sd) for mean, sd in self.encoder(parts, track)]

    def streams(self, source: Tensor, target: Tensor, drawn: tuple[int, int] | None = None) -> Streams:
        """Run the reconstruction and translation streams of both domains: one encoding, one shared decoding.

        Parameters
        ----------
        source, target
            (N, C, S, S) images in [-1, 1], all of which are encoded.
        drawn
            How many of either, the first ones, are decoded; all where it is not given.
        """
        code_1, code_2 = self.codes((source, 0), (target, 1))
        sizes = [len(source), len(target)] if drawn is None else list(drawn)
        drawn_1, drawn_2 = code_1.first(sizes[0]), code_2.first(sizes[1])
        h = self.generator.high(torch.cat([drawn_1.sample(), drawn_2.sample()]))
        x_11, x_21 = torch.split(self.generator.low(h, 0), sizes)
        x_12, x_22 = torch.split(self.generator.low(h, 1), sizes)
        return Streams(code_1, code_2, x_11, x_22, x_12, x_21)

    def cycles(self, streams: Streams) -> Cycles:
        """Run the cycle-reconstruction streams: translate the translations back."""
        code_12, code_21 = self.codes((streams.x_12, 1), (streams.x_21, 0), track=False)
        h = self.generator.high(torch.cat([code_12.sample(), code_21.sample()]))
        h_1, h_2 = torch.split(h, [len(streams.x_12), len(streams.x_21)])
        return Cycles(code_12, code_21, self.generator.low(h_1, 0), self.generator.low(h_2, 1))

    def encode(self, images: Tensor, domain: int) -> Tensor:
        """Return the (N, Z) mean codes of images of a domain (0 source, 1 target)."""
        return self.codes((images, domain))[0].mean

    def decode(self, codes: Tensor, domain: int) -> Tensor:
        """Draw (N, Z) codes in a domain: (N, C, S, S) in [-1, 1]."""
        images: Tensor = self.generator(codes, domain)
        return images

    def reconstruct(self, images: Tensor, domain: int, noise: bool = False) -> Tensor:
        """Encode and decode within a domain; with ``noise`` the code is drawn from q(z|x), else its mean is used."""
        return self._through(images, domain, domain, noise)

    def translate(self, images: Tensor, origin: int, noise: bool = False) -> Tensor:
        """F_1->2 for ``origin=0``, F_2->1 for ``origin=1``: encode in the origin, decode in the other domain."""
        return self._through(images, origin, 1 - origin, noise)

    def cycle(self, images: Tensor, origin: int, noise: bool = False) -> Tensor:
        """Translate there and back."""
        return self.translate(self.translate(images, origin, noise), 1 - origin, noise)

    def role(self, name: str, domain: int = 0) -> dict[str, Half]:
        """Return the networks of a role of the paper's Table 1.

        Parameters
        ----------
        name
            ``"vae"`` {E1, G1}, ``"image-translator"`` {E1, G2}, ``"gan"`` {G1, D1}, ``"vae-gan"`` {E1, G1, D1} or
            ``"cogan"`` {G1, G2, D1, D2}.
        domain
            Whose role: 0 gives the networks above, 1 exchanges the domains.

        Returns
        -------
        dict
            Name of each network ("E1", "G2", …) to the network.
        """
        if name not in ROLES:
            raise unknown("role of UNIT", name, ROLES)
        pairs: dict[str, Encoder | Generator | Discriminator] = {
            "E": self.encoder,
            "G": self.generator,
            "D": self.discriminator,
        }
        networks = {}
        for symbol in ROLES[name]:
            whose = 1 - domain if symbol.endswith("'") else domain
            networks[f"{symbol[0]}{whose + 1}"] = Half(pairs[symbol[0]], whose)
        return networks

    def _through(self, images: Tensor, origin: int, destination: int, noise: bool) -> Tensor:
        code = self.codes((images, origin))[0]
        return self.decode(code.sample() if noise else code.mean, destination)

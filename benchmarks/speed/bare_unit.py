"""UNIT's update as a bare loop in plain torch, written for this one case: what our framework is measured against.

The update is that of our preset ``unit-2017``, the recipe of the UNIT authors for digits: mixed batch statistics,
coordinate channels, learned standard deviations, squared errors, adversarial reconstructions, and a class head with
feature matching on the discriminators. Two domains of 32x32 images; one width for all networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam

SIDE, CLASSES = 32, 10
#: The authors' weights; their game is a mean over both domains, not a sum, and their divergence has no factor 1/2.
GAME, KL, RECONSTRUCTION, CLASSIFICATION, FEATURES = 0.5, 2e-4, 1e-3, 10.0, 1e-4


def normed(convolution: nn.Module, channels: int) -> nn.Sequential:
    """Return a convolution, batch normalisation with a learned bias and no scale, and a leaky ReLU."""
    norm = nn.BatchNorm2d(channels, affine=False)
    norm.bias = nn.Parameter(torch.zeros(channels))
    return nn.Sequential(convolution, norm, nn.LeakyReLU(0.01))


class Encoder(nn.Module):
    """Both domains' images to the mean and standard deviation of their codes."""

    grid: Tensor

    def __init__(self, channels: int, w: int) -> None:
        super().__init__()
        self.private = nn.ModuleList(
            normed(nn.Conv2d(channels + 2, w, 5, 2, 2, bias=False), w) for _ in ("source", "target")
        )
        self.shared = nn.Sequential(
            normed(nn.Conv2d(w, 2 * w, 5, 2, 2, bias=False), 2 * w),
            normed(nn.Conv2d(2 * w, 4 * w, 8, bias=False), 4 * w),
            normed(nn.Conv2d(4 * w, 8 * w, 1, bias=False), 8 * w),
        )
        self.mean = nn.Conv2d(8 * w, 8 * w, 1)
        self.raw_sd = nn.Conv2d(8 * w, 8 * w, 1)
        places = torch.arange(SIDE) * (2.0 / SIDE) - 1.0
        self.register_buffer("grid", torch.stack(torch.meshgrid(places, places, indexing="ij"))[None])

    def forward(self, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (N, C, S, S) images of each domain: (2N, Z) means and standard deviations."""
        low = [
            layer(torch.cat([images, self.grid.expand(len(images), 2, SIDE, SIDE)], 1))
            for layer, images in zip(self.private, (source, target), strict=True)
        ]
        h = self.shared(torch.cat(low))
        return self.mean(h).flatten(1).float(), F.softplus(self.raw_sd(h).flatten(1).float())


class Generator(nn.Module):
    """Codes to images of both domains."""

    def __init__(self, channels: int, w: int) -> None:
        super().__init__()
        self.shared = nn.Sequential(
            normed(nn.ConvTranspose2d(8 * w, 8 * w, 4, bias=False), 8 * w),
            normed(nn.ConvTranspose2d(8 * w, 4 * w, 4, 2, 1, bias=False), 4 * w),
            normed(nn.ConvTranspose2d(4 * w, 2 * w, 4, 2, 1, bias=False), 2 * w),
        )
        self.private = nn.ModuleList(
            normed(nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=False), w) for _ in ("source", "target")
        )
        self.image = nn.ModuleList(nn.ConvTranspose2d(w, channels, 1) for _ in ("source", "target"))

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Draw (N, Z) codes in the source and in the target domain: (N, C, S, S) in [-1, 1] each."""
        h = self.shared(codes[:, :, None, None])
        source, target = (
            torch.tanh(image(layer(h)).float()) for layer, image in zip(self.private, self.image, strict=True)
        )
        return source, target


class Discriminator(nn.Module):
    """Images to the features that the verdict and the class are read off."""

    def __init__(self, channels: int, w: int) -> None:
        super().__init__()
        self.private = nn.ModuleList(nn.Conv2d(channels, w, 5, 1, 2) for _ in ("source", "target"))
        layers: list[nn.Module] = []
        for rate, n in ((0.1, w), (0.3, 2 * w), (0.5, 4 * w)):
            layers += [nn.Dropout(rate), nn.Conv2d(n, 2 * n, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(2)]
        self.shared = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.5)
        self.verdict = nn.Conv2d(8 * w, 2, 2)
        self.head = nn.Linear(8 * w * 2 * 2, CLASSES)

    def low(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the (N, w, 16, 16) first maps of the images of both domains, source first."""
        both = zip(self.private, (source, target), strict=True)
        return torch.cat([F.max_pool2d(F.relu(layer(images)), 2) for layer, images in both])

    def matched(self, low: Tensor) -> Tensor:
        """Return the (N, F, 2, 2) features of first maps, without dropout."""
        for layer in self.shared:
            low = low if isinstance(layer, nn.Dropout) else layer(low)
        return low

    def forward(self, low: Tensor) -> Tensor:
        """Return the (N, F, 2, 2) features of first maps, with dropout."""
        features: Tensor = self.dropout(self.shared(low))
        return features

    def judge(self, features: Tensor) -> Tensor:
        """Return the (N, 2) logits of (generated, real)."""
        verdict: Tensor = self.verdict(features).flatten(1).float()
        return verdict


def scale_by_one(network: nn.Module) -> None:
    """Give batch norms a fixed scale of 1 beside their bias: CUDA's has no gradient of a bias without a scale."""
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm2d)):
        del norm.weight
        norm.register_buffer("weight", torch.ones_like(norm.bias))


class BareUnit:
    """The networks, their optimisers, and the step.

    Parameters
    ----------
    channels, width
        Image channels of both domains, and the width of all networks.
    batches
        Source images, source labels and target images without end: see `batches`.
    device, bf16
        Where, and whether in bf16 where it is safe.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        batches: Iterator[tuple[Tensor, Tensor, Tensor]],
        device: torch.device,
        bf16: bool,
    ) -> None:
        self.batches, self.device, self.bf16 = batches, device, bf16
        self.encoder = Encoder(channels, width)
        self.generator = Generator(channels, width)
        self.discriminator = Discriminator(channels, width)
        networks: tuple[nn.Module, ...] = (self.encoder, self.generator, self.discriminator)
        for network in networks:
            network.to(device).to(memory_format=torch.channels_last)
            if device.type == "cuda":
                scale_by_one(network)
        generative = chain(self.encoder.parameters(), self.generator.parameters())
        self.play_d = Adam(self.discriminator.parameters(), 2e-4, (0.5, 0.999), weight_decay=5e-4)
        self.play_eg = Adam(generative, 2e-4, (0.5, 0.999), weight_decay=5e-4)

    def step(self) -> dict[str, Tensor]:
        """Move the discriminators, then the encoders and generators: the terms of both, detached."""
        source, labels, target = next(self.batches)
        with self._autocast():
            mean, sd = self.encoder(source, target)
            drawn_1, drawn_2 = self.generator(mean + sd * torch.randn_like(mean))
            terms, loss = self._lose_d(source, labels, target, drawn_1.detach(), drawn_2.detach())
        self.play_d.zero_grad()
        torch.autograd.backward(loss)
        self.play_d.step()
        self.discriminator.requires_grad_(False)
        with self._autocast():
            more_terms, loss = self._lose_eg(source, target, drawn_1, drawn_2, mean, sd)
        self.play_eg.zero_grad()
        torch.autograd.backward(loss)
        self.play_eg.step()
        self.discriminator.requires_grad_(True)
        return {name: term.detach() for name, term in (terms | more_terms).items()}

    def _lose_d(
        self, source: Tensor, labels: Tensor, target: Tensor, drawn_1: Tensor, drawn_2: Tensor
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the discriminators' terms and their weighted sum; each code is drawn once in each domain."""
        n = len(source)
        low = self.discriminator.low(torch.cat([source, drawn_1]), torch.cat([target, drawn_2]))
        features = self.discriminator(low)
        verdicts = self.discriminator.judge(features)
        real_1, fake_1, real_2, fake_2 = torch.split(verdicts, [n, 2 * n, n, 2 * n])
        gan = verdict_loss(real_1, 1) + verdict_loss(fake_1, 0) + verdict_loss(real_2, 1) + verdict_loss(fake_2, 0)
        gan = GAME * gan
        classification = F.cross_entropy(self.discriminator.head(features[:n].flatten(1)).float(), labels)
        in_1, in_2 = self.discriminator.matched(torch.cat([low[n : 3 * n], low[4 * n :]])).float().chunk(2)
        matching = (in_1 - in_2).square().sum() / n
        terms = {"gan_discriminator": gan, "classification": classification, "feature_matching": matching}
        return terms, gan + CLASSIFICATION * classification + FEATURES * matching

    def _lose_eg(
        self, source: Tensor, target: Tensor, drawn_1: Tensor, drawn_2: Tensor, mean: Tensor, sd: Tensor
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the encoders' and generators' terms and their weighted sum."""
        n = len(source)
        verdicts = self.discriminator.judge(self.discriminator(self.discriminator.low(drawn_1, drawn_2)))
        gan = GAME * 4.0 * verdict_loss(verdicts, 1)
        kl = 0.5 * (mean.square() + sd.square() - 1.0 - 2.0 * torch.log(sd + 1e-8)).sum() / n
        squared = ((source - drawn_1[:n]).square().sum() + (target - drawn_2[n:]).square().sum()) / n
        return {"kl": kl, "reconstruction": squared, "gan_generator": gan}, gan + KL * kl + RECONSTRUCTION * squared

    def _autocast(self) -> torch.autocast:
        # one for each move: the casts of the weights that it keeps are of before the optimiser's step
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)


def verdict_loss(logits: Tensor, real: int) -> Tensor:
    """Mean cross-entropy of (N, 2) verdicts that all should say ``real``."""
    return -F.log_softmax(logits, 1)[:, real].mean()


def batches(
    source: Tensor, labels: Tensor, target: Tensor, size: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield batches of source images in [-1, 1], their labels, and target images, from uint8 tensors, without end."""
    source, labels, target = source.to(device), labels.to(device), target.to(device)
    while True:
        order_1 = torch.split(torch.randperm(len(source), device=device), size)
        order_2 = torch.split(torch.randperm(len(target), device=device), size)
        for i, j in zip(order_1, order_2, strict=False):
            if len(i) == len(j) == size:
                yield source[i].float() / 127.5 - 1.0, labels[i], target[j].float() / 127.5 - 1.0

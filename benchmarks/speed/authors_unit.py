"""UNIT for digits in the structure that its authors gave it, rebuilt in plain eager fp32 torch: the peer in the race.

Nothing is copied: the networks, losses and order of passes are rebuilt from a description of the recipe. It makes the
same two moves as our preset ``unit-2017``, but as was usual then:

- images are PIL images, transformed one by one and collated by a data loader, on the host;
- every layer is a module of its own (convolution, normalisation, bias, activation), in fp32, NCHW;
- each move runs encoders and generators for itself, so the two see different noise;
- the class head reads real source images in a pass of its own;
- the features that are matched are made in passes of their own, without dropout, wherever the discriminators judge;
- the generators' move computes the discriminators' gradients too, and throws them away;
- the labels of real and generated images are made on the host at every step;
- losses are fetched as Python floats when they are logged, here every 10 steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

CLASSES, LOG_EVERY = 10, 10


class PilImages(Dataset[tuple[Tensor, int]]):
    """Images as PIL hands them out, made into tensors in [-1, 1] one by one, as torchvision's data sets do."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images = images.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels = labels.tolist()
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one image, (C, S, S) in [-1, 1], and its label."""
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


class Bias(nn.Module):
    """A learned bias per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Add it to (N, C, H, W)."""
        return images + self.bias


def block(convolution: nn.Module, channels: int) -> nn.Sequential:
    """Return the authors' block of encoders and generators."""
    return nn.Sequential(convolution, nn.BatchNorm2d(channels, affine=False), Bias(channels), nn.LeakyReLU(0.01))


class Generative(nn.Module):
    """Encoders and generators of both domains in one module, as in the authors' code."""

    def __init__(self, channels: int, w: int) -> None:
        super().__init__()
        self.encode_a = block(nn.Conv2d(channels + 2, w, 5, 2, 2, bias=False), w)
        self.encode_b = block(nn.Conv2d(channels + 2, w, 5, 2, 2, bias=False), w)
        self.encode_shared = nn.Sequential(
            block(nn.Conv2d(w, 2 * w, 5, 2, 2, bias=False), 2 * w),
            block(nn.Conv2d(2 * w, 4 * w, 8, bias=False), 4 * w),
            block(nn.Conv2d(4 * w, 8 * w, 1, bias=False), 8 * w),
        )
        self.mean = nn.Conv2d(8 * w, 8 * w, 1)
        self.raw_sd = nn.Conv2d(8 * w, 8 * w, 1)
        self.decode_shared = nn.Sequential(
            block(nn.ConvTranspose2d(8 * w, 8 * w, 4, 2, bias=False), 8 * w),
            block(nn.ConvTranspose2d(8 * w, 4 * w, 4, 2, 1, bias=False), 4 * w),
            block(nn.ConvTranspose2d(4 * w, 2 * w, 4, 2, 1, bias=False), 2 * w),
        )
        self.decode_a, self.decode_b = (
            nn.Sequential(
                block(nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=False), w),
                nn.ConvTranspose2d(w, channels, 1),
                nn.Tanh(),
            )
            for _ in "ab"
        )

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        """Return x_aa, x_ba, x_ab, x_bb, and the (2N, Z, 1, 1) means and standard deviations of the codes."""
        h = self.encode_shared(torch.cat([self.encode_a(with_places(a)), self.encode_b(with_places(b))]))
        mean, sd = self.mean(h), F.softplus(self.raw_sd(h))
        h = self.decode_shared(mean + sd * torch.randn_like(mean))
        x_aa, x_ba = torch.split(self.decode_a(h), len(a))
        x_ab, x_bb = torch.split(self.decode_b(h), len(a))
        return x_aa, x_ba, x_ab, x_bb, mean, sd


class Discriminative(nn.Module):
    """Discriminators of both domains with the class head on their shared layers."""

    def __init__(self, channels: int, w: int) -> None:
        super().__init__()
        self.low_a, self.low_b = (
            nn.Sequential(nn.Conv2d(channels, w, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(2)) for _ in "ab"
        )
        blocks = [nn.Sequential(nn.Conv2d(n, 2 * n, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(2)) for n in (w, 2 * w, 4 * w)]
        self.plain = nn.Sequential(*blocks)
        dropouts = (nn.Dropout(rate) for rate in (0.1, 0.3, 0.5))
        self.shared = nn.Sequential(*chain.from_iterable(zip(dropouts, blocks, strict=True)), nn.Dropout(0.5))
        self.verdict = nn.Conv2d(8 * w, 2, 2)
        self.classes = nn.Conv2d(8 * w, CLASSES, 2)

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """Return the (N, 2) verdicts on images of both domains, a's first, and the (N, F) features to match."""
        low_a, low_b = self.low_a(a), self.low_b(b)
        features = torch.cat([self.plain(low_a), self.plain(low_b)])
        return self.verdict(self.shared(torch.cat([low_a, low_b]))).flatten(1), features.flatten(1)

    def classify_a(self, a: Tensor) -> Tensor:
        """Return the (N, K) logits of source images."""
        logits: Tensor = self.classes(self.shared(self.low_a(a))).flatten(1)
        return logits


class AuthorsUnit:
    """The two moves of a step, and the data loaders that feed them.

    Parameters
    ----------
    source, labels, target
        (N, C, 32, 32) uint8, (N,) int64, (M, C, 32, 32) uint8.
    width, batch_size
        Width of all networks; images per domain.
    device
        Where the networks are.
    workers
        Processes of each data loader; 0 loads in this one.
    """

    def __init__(
        self,
        source: Tensor,
        labels: Tensor,
        target: Tensor,
        width: int,
        batch_size: int,
        device: torch.device,
        workers: int = 0,
    ) -> None:
        self.device, self.steps = device, 0
        self.logged: dict[str, float] = {}
        self.generative = Generative(source.shape[1], width).to(device)
        self.discriminative = Discriminative(source.shape[1], width).to(device)
        self.play_d = Adam(self.discriminative.parameters(), 2e-4, (0.5, 0.999), weight_decay=5e-4)
        self.play_eg = Adam(self.generative.parameters(), 2e-4, (0.5, 0.999), weight_decay=5e-4)
        nowhere = torch.zeros(len(target), dtype=torch.long)
        self._loaders = [
            DataLoader(data, batch_size, shuffle=True, drop_last=True, num_workers=workers)
            for data in (PilImages(source, labels), PilImages(target, nowhere))
        ]
        self._batches = self._load()

    def step(self) -> None:
        """Make one step, and log its losses when it is their turn."""
        a, labels, b = next(self._batches)
        terms = self.update_discriminative(a, labels, b)
        terms.update(self.update_generative(a, b))
        if self.steps % LOG_EVERY == 0:
            self.logged = {name: term.item() for name, term in terms.items()}
        self.steps += 1

    def update_discriminative(self, a: Tensor, labels: Tensor, b: Tensor) -> dict[str, Tensor]:
        """Move the discriminators and the class head."""
        x_aa, x_ba, x_ab, x_bb, _, _ = (x.detach() for x in self.generative(a, b))
        real, _ = self.discriminative(a, b)
        translated, features = self.discriminative(x_ba, x_ab)
        f_ba, f_ab = torch.split(features, len(a))
        reconstructed, features = self.discriminative(x_aa, x_bb)
        f_aa, f_bb = torch.split(features, len(a))
        fake = 0.5 * (self._adversarial(translated, 0) + self._adversarial(reconstructed, 0))
        gan = self._adversarial(real, 1) + fake
        size = f_ab.shape[1]
        matching = size * (F.mse_loss(f_ab, f_aa) + F.mse_loss(f_ba, f_bb))
        classification = F.cross_entropy(self.discriminative.classify_a(a), labels)
        self.discriminative.zero_grad()
        torch.autograd.backward(gan + 10.0 * classification + 1e-4 * matching)
        self.play_d.step()
        return {"gan_discriminator": gan, "classification": classification, "feature_matching": matching}

    def update_generative(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """Move encoders and generators."""
        n = len(a)
        x_aa, x_ba, x_ab, x_bb, mean, sd = self.generative(a, b)
        translated, _ = self.discriminative(x_ba, x_ab)
        reconstructed, _ = self.discriminative(x_aa, x_bb)
        gan = self._adversarial(translated, 1) + self._adversarial(reconstructed, 1)
        kl = (mean.square() + sd.square() - torch.log(sd.square() + 1e-8)).sum() / n
        size = a[0].numel()
        squared = size * (F.mse_loss(x_aa, a) + F.mse_loss(x_bb, b))
        self.generative.zero_grad()
        torch.autograd.backward(gan + 1e-4 * kl + 1e-3 * squared)
        self.play_eg.step()
        return {"gan_generator": gan, "kl": kl, "reconstruction": squared}

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield all learned parameters."""
        return chain(self.generative.parameters(), self.discriminative.parameters())

    def _adversarial(self, verdicts: Tensor, real: int) -> Tensor:
        said = torch.full((len(verdicts),), real, dtype=torch.long).to(self.device)
        return F.cross_entropy(verdicts, said)

    def _load(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield the loaders' batches side by side, an epoch being as long as the shorter, without end."""
        source, target = self._loaders
        while True:
            for (a, labels), (b, _) in zip(source, target, strict=False):
                yield a.to(self.device), labels.to(self.device), b.to(self.device)


def with_places(images: Tensor) -> Tensor:
    """Append the row and column of each pixel, from -1, to (N, C, S, S) images."""
    n, _, rows, columns = images.shape
    row = torch.arange(rows, device=images.device).view(1, 1, rows, 1).expand(n, 1, rows, columns)
    column = torch.arange(columns, device=images.device).view(1, 1, 1, columns).expand(n, 1, rows, columns)
    return torch.cat([images, row * (2.0 / rows) - 1.0, column * (2.0 / columns) - 1.0], 1)

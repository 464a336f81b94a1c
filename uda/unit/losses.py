"""The objective of the UNIT paper, one function per term; sums over an image's values, means over the batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def kl_divergence(mean: Tensor, sd: Tensor | None = None) -> Tensor:
    """KL(N(mean, sd^2 I) || N(0, I)), the first term of equations (3) and (4).

    Parameters
    ----------
    mean
        (N, Z) means of the codes.
    sd
        (N, Z) standard deviations; None means 1, as in the paper, and leaves |mean|^2 / 2.

    Returns
    -------
    Tensor
        Scalar, in nats per image.
    """
    if sd is None:
        return 0.5 * mean.square().sum(1).mean()
    return 0.5 * (mean.square() + sd.square() - 1.0 - 2.0 * torch.log(sd + 1e-8)).sum(1).mean()


def laplacian_nll(images: Tensor, reconstructions: Tensor) -> Tensor:
    """-log p(x | z) for a Laplacian of scale 1, up to its constant: the absolute distance.

    Parameters
    ----------
    images, reconstructions
        (N, C, H, W).

    Returns
    -------
    Tensor
        Scalar: summed over an image, averaged over the batch.
    """
    return (images - reconstructions).abs().flatten(1).sum(1).mean()


def gaussian_nll(images: Tensor, reconstructions: Tensor) -> Tensor:
    """Squared distance, which the authors' domain adaptation code uses in place of `laplacian_nll`."""
    return (images - reconstructions).square().flatten(1).sum(1).mean()


def vae(kl: Tensor, nll: Tensor, lambda_1: float, lambda_2: float) -> Tensor:
    """Equations (3) and (4): lambda_1 KL(q(z|x) || p(z)) - lambda_2 E[log p(x|z)]."""
    return lambda_1 * kl + lambda_2 * nll


def gan_discriminator(real: Tensor, generated: Tensor, lambda_0: float) -> Tensor:
    """Equations (5) and (6) as the discriminator's loss, i.e. with the sign turned.

    Parameters
    ----------
    real, generated
        (N, 2) logits of (generated, real) for real and for generated images.
    lambda_0
        Weight.

    Returns
    -------
    Tensor
        Scalar: -lambda_0 (E[log D(x)] + E[log(1 - D(G(z)))]).
    """
    log_real = F.log_softmax(real, 1)[:, 1]
    log_not_real = F.log_softmax(generated, 1)[:, 0]
    return -lambda_0 * (log_real.mean() + log_not_real.mean())


def gan_generator(generated: Tensor, lambda_0: float) -> Tensor:
    """Return the generator's side of equations (5) and (6), non-saturating: -lambda_0 E[log D(G(z))].

    It has the fixed points of minimising E[log(1 - D(G(z)))] and gradients where D is sure (Goodfellow et al. 2014).
    """
    return -lambda_0 * F.log_softmax(generated, 1)[:, 1].mean()


def feature_matching(one: Tensor, two: Tensor) -> Tensor:
    """Squared distance of discriminators' features of the two images that one code is drawn as (authors' code).

    Parameters
    ----------
    one, two
        (N, F, s, s).

    Returns
    -------
    Tensor
        Scalar, in fp32: summed over an image's features, averaged over the batch.
    """
    return (one.float() - two.float()).flatten(1).square().sum(1).mean()


def cycle_consistency(kl: Tensor, kl_translated: Tensor, nll: Tensor, lambda_3: float, lambda_4: float) -> Tensor:
    """Equations (7) and (8): lambda_3 (KL of the image's code + KL of its translation's code) - lambda_4 E[log p]."""
    return lambda_3 * (kl + kl_translated) + lambda_4 * nll


def objective(*terms: Tensor) -> Tensor:
    """Equation (2), the encoders' and generators' side: the sum of the VAE, GAN and CC terms of both domains."""
    return torch.stack(terms).sum()

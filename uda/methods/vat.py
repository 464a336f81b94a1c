"""Virtual adversarial training: predictions that stay where images are moved in the direction that changes them most.

T. Miyato, S. Maeda, M. Koyama, S. Ishii, "Virtual Adversarial Training: A Regularization Method for Supervised and
Semi-Supervised Learning", TPAMI 41 (2018), algorithm 1 with one power iteration.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

#: How far images are moved to find out the direction. The paper's 1e-6 drowns in the rounding of fp32 and more so bf16.
XI = 1.0

#: Values of an image of 3 x 32 x 32, for which VADA gives its radius.
VALUES = 3 * 32 * 32


def virtual_adversarial_loss(
    classify: Callable[[Tensor], Tensor], images: Tensor, logits: Tensor, radius: float
) -> Tensor:
    """Mean over images of the divergence of what is predicted there from what is predicted a radius away.

    Parameters
    ----------
    classify
        From (N, C, S, S) images to (N, K) logits; it is called twice.
    images
        (N, C, S, S).
    logits
        (N, K), what is predicted of them; no gradient reaches these.
    radius
        Euclidean length, over all values of an image, of the move.

    Returns
    -------
    Tensor
        Scalar, in fp32, in nats: Kullback-Leibler divergences.
    """
    log_p = logits.detach().float().log_softmax(1)
    direction = unit(torch.randn_like(images)).requires_grad_()
    (gradient,) = torch.autograd.grad(divergence(log_p, classify(images + XI * direction)), direction)
    return divergence(log_p, classify(images + radius * unit(gradient)))


def scaled_radius(radius: float, images: Tensor) -> float:
    """Return how far (N, C, S, S) images move for a value to change as much as in those of `VALUES` by the radius."""
    return radius * math.sqrt(images[0].numel() / VALUES)


def divergence(log_p: Tensor, logits: Tensor) -> Tensor:
    """Mean Kullback-Leibler divergence of p from predictions: (N, K) log-probabilities of p, (N, K) logits."""
    mean: Tensor = (log_p.exp() * (log_p - logits.float().log_softmax(1))).sum(1).mean()
    return mean


def unit(images: Tensor) -> Tensor:
    """Give each of (N, C, S, S) images the Euclidean length 1; what is zero stays zero."""
    length: Tensor = torch.linalg.vector_norm(images, dim=(1, 2, 3), keepdim=True)
    return images / length.clamp_min(1e-12)

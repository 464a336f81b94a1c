"""Entropies of predictions: of each image's (conditional) and of the mean prediction (marginal).

J. Bridle, A. Heading, D. MacKay, "Unsupervised Classifiers, Mutual Information and 'Phantom Targets'", NIPS 1991: the
second minus the first is the mutual information of images and predicted classes.
"""

from __future__ import annotations

import torch
from torch import Tensor


def conditional_entropy(logits: Tensor) -> Tensor:
    """Mean over images of the entropy of their predictions.

    Parameters
    ----------
    logits
        (N, K).

    Returns
    -------
    Tensor
        Scalar, in fp32, in nats: from 0, all sure, to log K.
    """
    log_p = torch.log_softmax(logits.float(), 1)
    return -(log_p.exp() * log_p).sum(1).mean()


def marginal_entropy(logits: Tensor) -> Tensor:
    """Entropy of the mean prediction.

    Parameters
    ----------
    logits
        (N, K).

    Returns
    -------
    Tensor
        Scalar, in fp32, in nats: from 0, one class for all, to log K.
    """
    mean = torch.softmax(logits.float(), 1).mean(0)
    mean = torch.maximum(mean, torch.full_like(mean, 1e-6))  # the gradient at 0 is infinite
    return -(mean * mean.log()).sum()

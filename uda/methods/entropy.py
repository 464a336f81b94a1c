"""Entropies of predictions: of each image's (conditional) and of the mean prediction (marginal).

J. Bridle, A. Heading, D. MacKay, "Unsupervised Classifiers, Mutual Information and 'Phantom Targets'", NIPS 1991: the
second minus the first is the mutual information of images and predicted classes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: Validators that like what a method gets by making predictions sure one by one and diverse together, whether by the
#: mutual information, whose two terms are the first two, or by the nuclear norm: the same predictions maximise all.
LIKE_SURE_AND_DIVERSE = ("entropy", "diversity", "information-maximization", "bnm")


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
    """Entropy of the mean prediction of (N, K) logits, in fp32: from 0, one class for all, to log K nats, all alike."""
    mean = _mean_prediction(logits)
    return -(mean * mean.log()).sum()


def marginal_fit(logits: Tensor, shares: Tensor) -> Tensor:
    """Return how well the mean prediction has given shares: log K minus its divergence from them, in fp32 and nats.

    Where the shares are even, this is `marginal_entropy`.

    Parameters
    ----------
    logits
        (N, K).
    shares
        (K,), of the classes: positive, of sum 1.

    Returns
    -------
    Tensor
        Scalar: at most log K, where the mean prediction has those shares.
    """
    mean = _mean_prediction(logits)
    return math.log(len(shares)) - (mean * (mean / shares).log()).sum()


def _mean_prediction(logits: Tensor) -> Tensor:
    mean = torch.softmax(logits.float(), 1).mean(0)
    return torch.maximum(mean, torch.full_like(mean, 1e-6))  # the logarithm's gradient at 0 is infinite

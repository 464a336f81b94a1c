"""Validators that see the predictions on one set of images: the source's with labels, or the target's without.

A model that predicts one class with certainty, whatever it is shown, is the best there is by `entropy` and by
`confidence_mask`, as their definitions have it; the others here know it for what it is.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from uda.metrics.accuracy import accuracy
from uda.metrics.validators.registry import validator

#: From which probability on a prediction counts as confident: the threshold of French et al. (2018).
CONFIDENT = 0.968


@validator("source-accuracy")
def source_accuracy(source_val_logits: Tensor, source_val_labels: Tensor) -> float:
    """Accuracy on held-out source images, in percent, of (M, K) logits and (M,) labels."""
    return accuracy(source_val_logits, source_val_labels)


@validator("entropy")
def entropy(target_train_logits: Tensor) -> float:
    """Negative mean entropy of the predictions on (N, K) target logits, in nats: sure is better."""
    log_p = F.log_softmax(target_train_logits.double(), 1)
    return float((log_p.exp() * log_p).sum(1).mean())


@validator("diversity")
def diversity(target_train_logits: Tensor) -> float:
    """Entropy of the mean prediction on (N, K) target logits, in nats: all classes used is better."""
    p = F.softmax(target_train_logits.double(), 1).mean(0)
    return float(-torch.special.xlogy(p, p).sum())


@validator("information-maximization")
def information_maximization(target_train_logits: Tensor) -> float:
    """`diversity` plus `entropy`: the mutual information of input and prediction, in nats (Krause et al. 2010)."""
    return diversity(target_train_logits) + entropy(target_train_logits)


@validator("bnm")
def nuclear_norm(target_train_logits: Tensor) -> float:
    """Nuclear norm of the (N, K) target predictions over N (Cui et al. 2020): sure and diverse is better.

    Between 1 / sqrt(N K), for even predictions, and sqrt(min(N, K) / N); 1 / sqrt(N), for being sure of one class.
    """
    p = F.softmax(target_train_logits.double(), 1)
    return float(torch.linalg.svdvals(p).sum() / len(p))


@validator("corr-c")
def class_correlation(target_train_logits: Tensor) -> float:
    """Cosine between the class correlation P'P of the (N, K) target predictions and the identity (Tu et al. 2023).

    Between 1 / sqrt(K), for predictions that are all the same, and 1, for sure and balanced ones.
    """
    p = F.softmax(target_train_logits.double(), 1)
    correlation = p.T @ p
    return float(correlation.trace() / (correlation.norm() * len(correlation) ** 0.5))


@validator("confidence-mask")
def confidence_mask(target_train_logits: Tensor) -> float:
    """Share of the target images whose likeliest class has probability over `CONFIDENT`, in percent.

    The rate at which self-ensembling lets images pass (French et al. 2018), from (N, K) logits.
    """
    surest = F.softmax(target_train_logits.double(), 1).amax(1)
    return 100.0 * float((surest > CONFIDENT).double().mean())

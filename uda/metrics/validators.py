"""Label-free validators: each says by its argument names what it may see, and none can name a target label.

``source_val_logits``, ``source_val_labels``: outputs on held-out source images and their labels;
``target_train_logits``: outputs on target training images. Larger is better for all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from uda.errors import unknown
from uda.metrics.accuracy import accuracy

VISIBLE = ("source_val_logits", "source_val_labels", "target_train_logits")


def source_accuracy(source_val_logits: Tensor, source_val_labels: Tensor) -> float:
    """Accuracy on held-out source images, in percent, of (N, K) logits and (N,) labels."""
    return accuracy(source_val_logits, source_val_labels)


def entropy(target_train_logits: Tensor) -> float:
    """Negative mean entropy of the predictions on (N, K) target logits, in nats: sure is better."""
    log_p = F.log_softmax(target_train_logits.double(), 1)
    return float((log_p.exp() * log_p).sum(1).mean())


def diversity(target_train_logits: Tensor) -> float:
    """Entropy of the mean prediction on (N, K) target logits, in nats: all classes used is better."""
    p = F.softmax(target_train_logits.double(), 1).mean(0)
    return float(-torch.special.xlogy(p, p).sum())


def information_maximization(target_train_logits: Tensor) -> float:
    """`diversity` plus `entropy`: the mutual information of input and prediction, in nats (Krause et al. 2010)."""
    return diversity(target_train_logits) + entropy(target_train_logits)


VALIDATORS: dict[str, Callable[..., float]] = {
    "source-accuracy": source_accuracy,
    "entropy": entropy,
    "diversity": diversity,
    "information-maximization": information_maximization,
}


def find_validator(name: str) -> Callable[..., float]:
    """Return the validator of that name, or raise `UserError` naming the nearest one."""
    if name not in VALIDATORS:
        raise unknown("validator", name, VALIDATORS)
    return VALIDATORS[name]


def validate(outputs: Mapping[str, Tensor]) -> dict[str, float]:
    """Score one model with every validator.

    Parameters
    ----------
    outputs
        A tensor for each name in `VISIBLE`; each validator is handed those that it names, and nothing else.

    Returns
    -------
    dict
        Name of each validator to its score; larger is better.
    """
    scores = {}
    for name, validator in VALIDATORS.items():
        wanted = inspect.signature(validator).parameters
        scores[name] = validator(**{key: outputs[key] for key in wanted})
    return scores

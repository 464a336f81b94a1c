"""Validators that weigh held-out source images by how much like a target image each is.

The weight of an image is the density ratio p_target(f) / p_source(f) of its features, by a classifier that tells the
domains apart. The three differ in the loss and in what keeps a few large weights from deciding all.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from uda.metrics.validators.features import standardise
from uda.metrics.validators.registry import derived, validator

#: L2 penalty of the domain classifier, on the mean loss over standardised features.
PENALTY = 1e-2
#: Logarithms of weights are kept within so much.
LARGEST_LOG = 50.0


@derived
def source_val_weights(
    source_train_features: Tensor, target_train_features: Tensor, source_val_features: Tensor
) -> Tensor:
    """Return the density ratio of target to source at each held-out source image (You et al. 2019).

    A logistic regression on standardised features, where You et al. train a small network: the ratio of its two
    probabilities, times that of the numbers of images.

    Parameters
    ----------
    source_train_features, target_train_features
        (N', F) and (N, F): what the classifier learns from.
    source_val_features
        (M, F): what it weighs.

    Returns
    -------
    Tensor
        (M,) float64, positive.
    """
    from sklearn.linear_model import LogisticRegression

    count = len(source_train_features), len(target_train_features)
    both, held_out = standardise(torch.cat([source_train_features, target_train_features]), source_val_features)
    domain = torch.cat([torch.zeros(count[0]), torch.ones(count[1])])
    classifier = LogisticRegression(C=1 / (PENALTY * sum(count)), max_iter=1000, random_state=0)
    classifier.fit(both.numpy(), domain.numpy())
    log_odds = torch.from_numpy(classifier.decision_function(held_out.numpy()))
    return log_odds.clamp(-LARGEST_LOG, LARGEST_LOG).exp() * count[0] / count[1]


@validator("importance-weighted")
def importance_weighted(source_val_logits: Tensor, source_val_labels: Tensor, source_val_weights: Tensor) -> float:
    """Accuracy on held-out source images in percent, each counted with its weight (Sugiyama et al. 2007).

    The weights are divided by their sum, without which a classifier that tells the domains apart well, and so gives
    every source image a weight near 0, would make any model look free of errors.

    Parameters
    ----------
    source_val_logits, source_val_labels, source_val_weights
        (M, K), (M,) and (M,).
    """
    correct = (source_val_logits.argmax(1) == source_val_labels).double()
    return 100.0 * float((source_val_weights * correct).sum() / source_val_weights.sum())


@validator("dev-without-control-variate")
def plain_deep_embedded(source_val_logits: Tensor, source_val_labels: Tensor, source_val_weights: Tensor) -> float:
    """Negative mean of weight times cross-entropy on held-out source images, in nats (You et al. 2019).

    Parameters
    ----------
    source_val_logits, source_val_labels, source_val_weights
        (M, K), (M,) and (M,).
    """
    return -float(_weighted_loss(source_val_logits, source_val_labels, source_val_weights).mean())


@validator("dev")
def deep_embedded(source_val_logits: Tensor, source_val_labels: Tensor, source_val_weights: Tensor) -> float:
    """Deep embedded validation: `plain_deep_embedded` with the weights as a control variate (You et al. 2019).

    The mean weight is known to be 1, so the risk is mean(w l) + eta mean(w) - eta, where eta = -Cov(w l, w) / Var(w)
    makes its variance least. With weights that are all the same, eta is 0.

    Parameters
    ----------
    source_val_logits, source_val_labels, source_val_weights
        (M, K), (M,) and (M,).
    """
    loss, weights = _weighted_loss(source_val_logits, source_val_labels, source_val_weights), source_val_weights
    spread = (weights - weights.mean()).square().mean()
    eta = -((loss - loss.mean()) * (weights - weights.mean())).mean() / spread if spread > 0 else torch.zeros(())
    return -float(loss.mean() + eta * weights.mean() - eta)


def _weighted_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    return weights * F.cross_entropy(logits.double(), labels, reduction="none")

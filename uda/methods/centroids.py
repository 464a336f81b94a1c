"""Pseudo-labels by centroids: each unlabelled image gets the class of the nearest centre of its features.

J. Liang, D. Hu, J. Feng, "Do We Really Need to Access the Source Data? Source Hypothesis Transfer for Unsupervised
Domain Adaptation", ICML 2020, self-supervised pseudo-labelling.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def centroid_labels(features: Tensor, logits: Tensor) -> Tensor:
    """Label images by the nearest centroid, in cosine distance.

    The centroids are means of features weighed by predicted probabilities; the labels that they give make
    centroids of their own, which give the labels that are returned. As in the authors' code a 1 is appended to the
    features before they are scaled to length 1.

    Parameters
    ----------
    features
        (N, F).
    logits
        (N, K).

    Returns
    -------
    Tensor
        (N,) int64 in 0..K-1.
    """
    extended = F.normalize(F.pad(features.float(), (0, 1), value=1.0), dim=1)
    labels = nearest(extended, torch.softmax(logits.float(), 1))
    classes = torch.arange(logits.shape[1], device=labels.device)
    return nearest(extended, (labels[:, None] == classes).float())


def nearest(features: Tensor, weights: Tensor) -> Tensor:
    """Return the class of the centroid that is nearest to each of N features.

    Parameters
    ----------
    features
        (N, F) of length 1.
    weights
        (N, K): how much each feature counts for the centroid of each class; a class that none counts for is nobody's.

    Returns
    -------
    Tensor
        (N,) int64 in 0..K-1.
    """
    # a centroid's length does not matter to its direction: sums do for means
    similarity = features @ F.normalize(weights.T @ features, dim=1).T
    # no similarity is below -1
    return (similarity - 3.0 * (weights.sum(0) == 0).float()).argmax(1)

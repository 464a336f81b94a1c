"""Validators that ask whether near images, or images of one cluster, are predicted alike."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from uda.metrics.validators.features import on_one_scale, squared_distances
from uda.metrics.validators.registry import validator

#: Temperature of soft neighbourhood density (Saito et al. 2021).
TEMPERATURE = 0.05
#: k-means stops there at the latest; it is rarely half as many.
LLOYD_STEPS = 100


@validator("snd")
def soft_neighbourhood_density(target_train_logits: Tensor) -> float:
    """Mean entropy of the soft neighbourhoods of the target predictions, in nats (Saito et al. 2021).

    The neighbourhood of an image is the softmax, over all other images, of the cosine between its prediction and
    theirs over `TEMPERATURE`. Dense is better: at most log(N - 1), which predictions that are all the same reach too.

    Parameters
    ----------
    target_train_logits
        (N, K). One image alone has no neighbours: 0.
    """
    if len(target_train_logits) < 2:
        return 0.0
    directions = F.normalize(F.softmax(target_train_logits, 1))
    similarity = (directions @ directions.T).div_(TEMPERATURE)
    # a cosine is at most 1, so no exponential overflows, and no row needs its largest value taken off
    weights = similarity.sub(1 / TEMPERATURE).exp_().fill_diagonal_(0)
    total = weights.sum(1)
    expected = weights.mul_(similarity.sub_(1 / TEMPERATURE)).sum(1) / total
    return float((total.log() - expected).double().mean())


@validator("nearest-source")
def nearest_source(
    source_train_features: Tensor,
    source_train_labels: Tensor,
    target_train_features: Tensor,
    target_train_logits: Tensor,
) -> float:
    """Share of the target images that are predicted as what their nearest source image is, in percent.

    Nearest by Euclidean distance between features. Musgrave's pytorch-adapt has a validator of this name that differs:
    it takes the nearest image of the source's validation split, by cosine similarity and by default of the predictions,
    and counts whether that source image is itself predicted right; the target's own prediction it does not compare.

    Parameters
    ----------
    source_train_features, source_train_labels
        (N', F) and (N',).
    target_train_features, target_train_logits
        (N, F) and (N, K).
    """
    source, target = on_one_scale(source_train_features, target_train_features)
    nearest = squared_distances(target, source).argmin(1)
    return 100.0 * float((source_train_labels[nearest] == target_train_logits.argmax(1)).double().mean())


@validator("class-cluster")
def class_cluster(
    source_train_features: Tensor,
    source_train_labels: Tensor,
    target_train_features: Tensor,
    target_train_logits: Tensor,
) -> float:
    """How well the target features' clusters and the predicted classes agree (Musgrave et al. 2022).

    Their adjusted mutual information. The clusters are k-means' of the features, scaled to length 1, begun at the
    means of the source classes, so that they are the same every time.

    Parameters
    ----------
    source_train_features, source_train_labels
        (N', F) and (N',).
    target_train_features, target_train_logits
        (N, F) and (N, K).

    Returns
    -------
    float
        At most 1; 0 is chance, and what a single cluster or a single predicted class gets.
    """
    from sklearn.metrics import adjusted_mutual_info_score

    points = F.normalize(target_train_features.double())
    clusters = k_means(points, class_means(F.normalize(source_train_features.double()), source_train_labels))
    classes = target_train_logits.argmax(1)
    if bool((clusters == clusters[0]).all()) or bool((classes == classes[0]).all()):
        return 0.0
    return float(adjusted_mutual_info_score(classes.numpy(), clusters.numpy()))


def class_means(points: Tensor, labels: Tensor) -> Tensor:
    """Return the (C, F) means of the (N, F) points of each of the C classes that occur among (N,) labels."""
    return torch.stack([points[labels == label].mean(0) for label in sorted(set(labels.tolist()))])


def k_means(points: Tensor, centres: Tensor) -> Tensor:
    """Assign (N, F) points to the nearest of (C, F) centres, and move these to their points' means, until none moves.

    Lloyd's algorithm, in at most `LLOYD_STEPS` steps; a centre without points stays where it is.

    Returns
    -------
    Tensor
        (N,) int64: the index of each point's centre.
    """
    nearest = squared_distances(points, centres).argmin(1)
    for _ in range(LLOYD_STEPS):
        mine = F.one_hot(nearest, len(centres)).to(points.dtype)
        counts = mine.sum(0)[:, None]
        centres = torch.where(counts > 0, mine.T @ points / counts.clamp(min=1), centres)
        before, nearest = nearest, squared_distances(points, centres).argmin(1)
        if torch.equal(before, nearest):
            break
    return nearest

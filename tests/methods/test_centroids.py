"""Pseudo-labels by centroids against SciPy's cosine distances, and classes that no image has."""

import numpy as np
import torch
from scipy.spatial.distance import cdist
from scipy.special import softmax

from uda.methods.centroids import centroid_labels, nearest


def test_labels_are_those_of_the_nearest_centroid_of_the_nearest_centroid() -> None:
    rng = np.random.default_rng(0)
    changed = 0
    for _ in range(20):
        features, logits = rng.normal(size=(40, 6)) + 0.5, rng.normal(size=(40, 4))
        extended = np.concatenate([features, np.ones((40, 1))], 1)
        extended /= np.linalg.norm(extended, axis=1, keepdims=True)
        p = softmax(logits, 1)
        soft = np.stack([np.average(extended, axis=0, weights=p[:, k]) for k in range(4)])
        first = cdist(extended, soft, "cosine").argmin(1)
        hard = np.stack([extended[first == k].mean(0) if (first == k).any() else np.full(7, 1e9) for k in range(4)])
        distances = cdist(extended, hard, "cosine")
        distances[:, [k for k in range(4) if not (first == k).any()]] = np.inf
        second = distances.argmin(1)
        changed += int((first != second).sum())
        ours = centroid_labels(torch.from_numpy(features), torch.from_numpy(logits))
        np.testing.assert_array_equal(ours.numpy(), second)
    assert changed > 0


def test_a_class_that_nothing_counts_for_labels_none() -> None:
    features = torch.tensor([[1.0, 0.0], [0.8, 0.6], [-1.0, 0.0]])
    weights = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.1, 0.0, 0.0]])
    # the third is on the far side of both centroids, and would be nearer to one of zeros
    assert nearest(features, weights).tolist() == [0, 2, 2]


def test_well_separated_clusters_get_one_label_each_whatever_few_predictions_say() -> None:
    torch.manual_seed(0)
    truth = torch.arange(3).repeat(30)
    features = 5.0 * torch.eye(3)[truth] + 0.3 * torch.randn(90, 3)
    said = truth.clone()
    said[:12] = 2
    assert torch.equal(centroid_labels(features, 4.0 * torch.eye(3)[said]), truth)

"""Validators of neighbourhoods against scikit-learn and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy as scipy_entropy
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize

from tests.metrics.validators.examples import CLASSES, make_outputs
from uda.metrics.validators.neighbourhoods import class_cluster, k_means, nearest_source, soft_neighbourhood_density

OUTPUTS = make_outputs()
SOURCE, SOURCE_LABELS = OUTPUTS["source_train_features"], OUTPUTS["source_train_labels"]
TARGET, LOGITS = OUTPUTS["target_train_features"], OUTPUTS["target_train_logits"]


def test_density_agrees_with_scikit_learn_and_scipy() -> None:
    similarity = cosine_similarity(softmax(LOGITS.double().numpy(), axis=1))
    others = similarity[~np.eye(len(LOGITS), dtype=bool)].reshape(len(LOGITS), -1)
    expected = scipy_entropy(softmax(others / 0.05, axis=1), axis=1).mean()
    assert soft_neighbourhood_density(LOGITS) == pytest.approx(expected, rel=1e-5)


def test_density_is_the_logarithm_of_the_number_of_equal_neighbours() -> None:
    assert soft_neighbourhood_density(torch.zeros(10, 3)) == pytest.approx(math.log(9))
    four_of_each = 100 * torch.eye(3).repeat(4, 1)
    # three neighbours at cosine 1 and eight at cosine 0, each e^-20 as heavy
    assert soft_neighbourhood_density(four_of_each) == pytest.approx(math.log(3), abs=1e-6)
    assert soft_neighbourhood_density(torch.zeros(1, 3)) == 0


def test_nearest_source_agrees_with_scikit_learn() -> None:
    neighbour = KNeighborsClassifier(1).fit(SOURCE.numpy(), SOURCE_LABELS.numpy())
    agreed = neighbour.predict(TARGET.numpy()) == LOGITS.argmax(1).numpy()
    assert 0 < agreed.mean() < 1
    for scale, shift in ((1, 0), (1e-3, 0), (1e30, 0), (1, 500)):
        score = nearest_source(scale * SOURCE + shift, SOURCE_LABELS, scale * TARGET + shift, LOGITS)
        assert score == pytest.approx(100 * agreed.mean())


def test_class_cluster_agrees_with_scikit_learn() -> None:
    source, target = normalize(SOURCE.double().numpy()), normalize(TARGET.double().numpy())
    centres = np.stack([source[SOURCE_LABELS.numpy() == label].mean(0) for label in range(CLASSES)])
    clusters = KMeans(CLASSES, init=centres, n_init=1, tol=0).fit(target).labels_
    expected = adjusted_mutual_info_score(LOGITS.argmax(1).numpy(), clusters)
    assert 0 < expected < 1
    assert class_cluster(SOURCE, SOURCE_LABELS, TARGET, LOGITS) == pytest.approx(expected)


def test_class_cluster_is_one_for_predicted_clusters_and_nought_for_one_class() -> None:
    labels = torch.arange(3).repeat(10)
    features = torch.eye(3)[labels] + 0.01 * torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
    # which class a cluster is called does not matter
    assert class_cluster(features, labels, features, torch.eye(3)[(labels + 1) % 3]) == pytest.approx(1)
    assert class_cluster(features, labels, features, torch.eye(3)[labels * 0]) == 0
    assert class_cluster(features, labels, torch.ones(30, 3), torch.eye(3)[labels]) == 0


def test_a_centre_without_points_stays() -> None:
    points = torch.tensor([[0.0], [1.0], [10.0]])
    assert k_means(points, torch.tensor([[0.0], [100.0], [9.0]])).tolist() == [0, 0, 2]

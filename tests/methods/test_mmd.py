"""Kernels and mean discrepancies against scikit-learn's kernels, closed forms and points apart."""

import itertools
import math

import numpy as np
import torch
from sklearn.metrics.pairwise import rbf_kernel

from tests.peers import pytorch_adapt_layers
from uda.methods.distances import squared_distances
from uda.methods.mmd import gaussian_kernels, kernel_matrix, mean_discrepancy

POINTS = torch.randn(11, 7, generator=torch.Generator().manual_seed(0)) * 3
SCALES = (0.25, 0.5, 1, 2, 4)


def test_the_kernels_are_those_of_scikit_learn() -> None:
    points = POINTS.double().numpy()
    mean = np.sum((points[:, None] - points[None]) ** 2) / (11 * 10)
    expected = np.stack([rbf_kernel(points, gamma=1 / (scale * mean)) for scale in SCALES]).mean(0)
    torch.testing.assert_close(kernel_matrix(POINTS), torch.from_numpy(expected).float(), rtol=1e-4, atol=1e-6)


def test_one_kernel_value_written_out() -> None:
    value = gaussian_kernels(torch.tensor(3.0), 2.0)
    assert math.isclose(float(value), sum(math.exp(-3 / (2 * scale)) for scale in SCALES) / 5, rel_tol=1e-6)


def test_the_discrepancy_is_the_distance_between_mean_embeddings() -> None:
    """With the linear kernel the embedding is the point itself; means of few points are apart by their variances."""
    kernels = POINTS @ POINTS.T
    expected = (POINTS[:4].mean(0) - POINTS[4:].mean(0)).square().sum()
    expected = expected - POINTS[:4].var(0).sum() / 4 - POINTS[4:].var(0).sum() / 7
    torch.testing.assert_close(mean_discrepancy(kernels, 4), expected, rtol=1e-4, atol=1e-4)


def test_sets_of_one_distribution_are_none_apart_in_the_mean() -> None:
    """Over all ways to split 6 points in 2 and 4, whatever their kernels."""
    kernels = kernel_matrix(POINTS[:6]).double()
    splits = [torch.tensor([*first, *({*range(6)} - {*first})]) for first in itertools.combinations(range(6), 2)]
    values = torch.stack([mean_discrepancy(kernels[split][:, split], 2) for split in splits])
    assert values.abs().max() > 0.01
    torch.testing.assert_close(values.mean(), torch.zeros((), dtype=torch.float64))


def test_points_that_coincide_stay_finite() -> None:
    same = torch.ones(8, 3, requires_grad=True)
    value = mean_discrepancy(kernel_matrix(same), 4)
    (gradient,) = torch.autograd.grad(value, same)
    assert float(value.detach()) == 0.0
    assert torch.equal(gradient, torch.zeros(8, 3))


def test_small_distances_between_large_features_keep_their_digits() -> None:
    first = torch.full((3, 5), 1000.0)
    second = first + 0.25
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(squared_distances(first, second), torch.full((3, 3), 5 * 0.25**2))


def test_the_gradient_of_distances_is_right_where_points_coincide_too() -> None:
    points = POINTS[[0, 0, 1, 2]].requires_grad_()
    weights = torch.rand(4, 4, generator=torch.Generator().manual_seed(1))
    (ours,) = torch.autograd.grad((weights * squared_distances(points, points)).sum(), points)
    (theirs,) = torch.autograd.grad((weights * (points[:, None] - points[None]).square().sum(2)).sum(), points)
    torch.testing.assert_close(ours, theirs)


def test_products_of_kernels_give_pytorch_adapts_joint_discrepancy() -> None:
    layers = pytorch_adapt_layers()
    peer = layers.MMDLoss(kernel_scales=torch.tensor(SCALES), mmd_type="quadratic", bandwidth=5.0)
    first, second = POINTS[:10], POINTS[:10, :3] * 2
    kernels = gaussian_kernels(squared_distances(first, first), 5.0) * gaussian_kernels(
        squared_distances(second, second), 5.0
    )
    theirs = peer([first[:5], second[:5]], [first[5:], second[5:]])
    torch.testing.assert_close(mean_discrepancy(kernels, 5), theirs, rtol=1e-4, atol=1e-6)

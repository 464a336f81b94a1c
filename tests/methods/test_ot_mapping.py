"""OT: barycentres of plans that were made directly, and the move of a source image that was not in the sample."""

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from tests.methods.rotated import Array, compare, fitted, pixels, regression_by_hand, rotated
from uda.errors import UserError
from uda.methods.ot_mapping import OtConfig


def entropic(cost: Array, weight: float, iterations: int = 5000) -> Array:
    """Sinkhorn's iteration in its plainest form, for equal masses."""
    kernel = np.exp(-cost / weight)
    u, v = np.ones(len(cost)), np.ones(cost.shape[1])
    for _ in range(iterations):
        v = 1 / cost.shape[1] / (kernel.T @ u)
        u = 1 / len(cost) / (kernel @ v)
    return np.asarray(u[:, None] * kernel * v)


def class_wise(cost: Array, weight: float, eta: float, labels: Array) -> Array:
    """Each round adds eta times the slope of the sum over classes of the root of their mass in each target point."""
    slope = np.zeros_like(cost)
    for _ in range(10):
        plan = entropic(cost + eta * slope, weight, 200)
        for k in np.unique(labels):
            slope[labels == k] = 0.5 / np.sqrt(plan[labels == k].sum(0) + 1e-3)
    return plan


def exact(cost: Array) -> Array:
    """With as many points on either side and equal masses, a matching is optimal."""
    plan = np.zeros_like(cost)
    plan[linear_sum_assignment(cost)] = 1 / len(cost)
    return plan


@pytest.mark.parametrize("plan", ["sinkhorn", "exact", "class"])
def test_the_fit_made_by_hand(plan: str) -> None:
    batches, _ = rotated(count=60)
    method = fitted("ot", batches, plan=plan, entropy=0.2, class_weight=0.3)
    source, target = pixels(batches.source_images), pixels(batches.target_images)
    cost = cdist(source, target, "sqeuclidean")
    cost = cost / np.median(cost)
    labels = batches.source_labels.numpy().astype(float)
    found = {
        "sinkhorn": lambda: entropic(cost, 0.2),
        "exact": lambda: exact(cost),
        "class": lambda: class_wise(cost, 0.2, 0.3, labels),
    }[plan]()
    on_source = found @ target / found.sum(1, keepdims=True)
    for domain, images, mapped in ((True, batches.source_images, on_source), (False, batches.target_images, target)):
        logits = regression_by_hand(on_source, batches.source_labels, mapped)
        compare(method, images, source=domain, features=mapped, logits=logits)

    unseen = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    nearest = cdist(pixels(unseen), source).argmin(1)
    mapped = pixels(unseen) + on_source[nearest] - source[nearest]
    logits = regression_by_hand(on_source, batches.source_labels, mapped)
    compare(method, unseen, source=True, features=mapped, logits=logits)


def test_class_regularisation_leaves_moved_classes_further_apart() -> None:
    batches, _ = rotated(degrees=60, count=60)
    source = pixels(batches.source_images)
    apart = []
    for plan in ("sinkhorn", "class"):
        method = fitted("ot", batches, plan=plan, entropy=0.2, class_weight=1.0)
        moved = source + method.fitted["displacements"].numpy()
        centres = np.stack([moved[(batches.source_labels == k).numpy()].mean(0) for k in range(3)])
        apart.append(cdist(centres, centres).sum())
    assert apart[1] > 1.02 * apart[0]


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(UserError, match="did you mean 'exact'"):
        OtConfig(plan="exactly")
    with pytest.raises(UserError, match="entropy is 0"):
        OtConfig(entropy=0.0)

"""DAN: two updates made again by hand."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tests.methods.two_updates import build, compare_updates, joint
from uda.data.batches import Batch


def kernels_by_hand(points: Tensor) -> Tensor:
    """The mean of five Gaussian kernels, whose middle bandwidth is the mean squared distance of different points."""
    points = points.double()
    squared = (points[:, None] - points[None]).square().sum(2)
    mean = squared.detach()[~torch.eye(len(points), dtype=torch.bool)].mean()
    return torch.stack([torch.exp(-squared / (mean * 2.0**k)) for k in range(-2, 3)]).mean(0)


def discrepancy_by_hand(kernels: Tensor) -> Tensor:
    """Of the first 6 points and the other 5: every pair has the weight of its two points, with their signs."""
    signs = torch.tensor([1 / 6] * 6 + [-1 / 5] * 5, dtype=torch.float64)
    return signs @ kernels @ signs


def test_updates_made_by_hand() -> None:
    """Equation (4), over the two layers behind the backbone."""

    def loss(twin: Any, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        f_s, z_s, f_t, z_t = joint(twin, batch)
        classification = F.cross_entropy(z_s, batch.source_labels)
        of_features, of_logits = (kernels_by_hand(torch.cat(layer)) for layer in ((f_s, f_t), (z_s, z_t)))
        mmd = discrepancy_by_hand(of_features) + discrepancy_by_hand(of_logits)
        assert mmd > 0.1
        return classification + 0.7 * mmd, {"classification": classification, "mmd": mmd}

    compare_updates(build("dan", lambda_mmd=0.7), loss)

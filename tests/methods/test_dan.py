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
    """Of the first 6 points and the other 5: 30 and 20 pairs of different points within, 30 across that count twice."""
    total = kernels.new_zeros(())
    for i in range(11):
        for j in range(11):
            if i != j:
                total = total + kernels[i, j] * (1 / 30 if i < 6 and j < 6 else 1 / 20 if i > 5 and j > 5 else -1 / 30)
    return total


def test_updates_made_by_hand() -> None:
    """Equation (4), over the two layers behind the backbone."""

    def loss(twin: Any, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        f_s, z_s, f_t, z_t = joint(twin, batch)
        classification = F.cross_entropy(z_s, batch.source_labels)
        of_features, of_logits = (kernels_by_hand(torch.cat(layer)) for layer in ((f_s, f_t), (z_s, z_t)))
        mmd = discrepancy_by_hand(of_features) + discrepancy_by_hand(of_logits)
        assert abs(mmd) > 0.005
        return classification + 0.7 * mmd, {"classification": classification, "mmd": mmd}

    compare_updates(build("dan", lambda_mmd=0.7), loss)

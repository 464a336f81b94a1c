"""JAN: two updates made again by hand; what is adapted jointly is not what is adapted layer by layer."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tests.methods.test_dan import discrepancy_by_hand, kernels_by_hand
from tests.methods.two_updates import build, compare_updates, joint
from uda.data.batches import Batch
from uda.methods.mmd import kernel_matrix, mean_discrepancy


def test_updates_made_by_hand() -> None:
    def loss(twin: Any, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        f_s, z_s, f_t, z_t = joint(twin, batch)
        classification = F.cross_entropy(z_s, batch.source_labels)
        probabilities = F.softmax(torch.cat([z_s, z_t]).double(), 1)
        jmmd = discrepancy_by_hand(kernels_by_hand(torch.cat([f_s, f_t])) * kernels_by_hand(probabilities))
        assert abs(jmmd) > 0.02
        weight = 0.7 * (2 / (1 + math.exp(-3.0 * step / 10)) - 1)
        return classification + weight * jmmd, {"classification": classification, "jmmd": jmmd}

    compare_updates(build("jan", lambda_jmmd=0.7, ramp=3.0), loss)


def test_layers_that_agree_each_for_itself_may_disagree_jointly() -> None:
    """Both domains hold the same features and the same predictions, but in other combinations."""
    features = torch.tensor([0.0, 1.0, 0.0, 1.0]).repeat_interleave(20)[:, None]
    predictions = torch.tensor([0.0, 1.0, 1.0, 0.0]).repeat_interleave(20)[:, None]
    one, other = kernel_matrix(features), kernel_matrix(predictions)
    assert float(mean_discrepancy(one, 40)) < 0.0
    assert float(mean_discrepancy(other, 40)) < 0.0
    assert float(mean_discrepancy(one * other, 40)) > 0.1

"""DeepJDOT: two updates made again by hand, with plans of SciPy's."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.methods.test_transport import plan_by_hand
from tests.methods.two_updates import build, compare_updates, joint
from uda.data.batches import Batch
from uda.methods import METHODS


@pytest.mark.parametrize(("alpha", "lambda_target"), [(0.3, 0.7), (1.0, 0.0)])
def test_updates_made_by_hand(alpha: float, lambda_target: float) -> None:
    def loss(twin: Any, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        f_s, z_s, f_t, z_t = joint(twin, batch)
        classification = F.cross_entropy(z_s, batch.source_labels)
        distances = (f_s[:, None] - f_t[None]).square().sum(2)
        losses = torch.stack([F.cross_entropy(z_t, y.repeat(5), reduction="none") for y in batch.source_labels])
        plan = plan_by_hand(alpha * distances + lambda_target * losses).float()
        alignment, transported = (plan * distances).sum(), (plan * losses).sum()
        terms = {
            "classification": classification,
            "alignment": alignment,
            "classification_transported": transported,
        }
        return classification + alpha * alignment + lambda_target * transported, terms

    compare_updates(build("deepjdot", alpha=alpha, lambda_target=lambda_target), loss)


def test_it_alone_waits_for_the_device() -> None:
    assert [name for name, method in METHODS.items() if method.waits] == ["deepjdot"]

"""Deep CORAL: two updates made again by hand; the loss against NumPy and pytorch-adapt."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.methods.two_updates import build, compare_updates, joint
from tests.peers import pytorch_adapt_layers
from uda.data.batches import Batch
from uda.methods.deepcoral import coral

SOURCE, TARGET = (torch.randn(n, 4, generator=torch.Generator().manual_seed(n)) * n for n in (7, 9))


def covariance_by_hand(rows: Tensor) -> Tensor:
    centred = rows - rows.mean(0)
    return torch.stack([torch.outer(row, row) for row in centred]).sum(0) / (len(rows) - 1)


def test_updates_made_by_hand() -> None:
    """Equation (6)."""

    def loss(twin: Any, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        _, z_s, _, z_t = joint(twin, batch)
        classification = F.cross_entropy(z_s, batch.source_labels)
        distance = (covariance_by_hand(z_s) - covariance_by_hand(z_t)).square().sum() / (4 * 3 * 3)
        return classification + 20 * distance, {"classification": classification, "coral": distance}

    compare_updates(build("deepcoral", lambda_coral=20.0), loss)


def test_the_loss_is_numpys() -> None:
    difference = np.cov(SOURCE.double().numpy().T) - np.cov(TARGET.double().numpy().T)
    assert float(coral(SOURCE, TARGET)) == pytest.approx(np.linalg.norm(difference) ** 2 / (4 * 4**2), rel=1e-6)


def test_the_loss_is_pytorch_adapts() -> None:
    layers = pytorch_adapt_layers()
    torch.testing.assert_close(coral(SOURCE, TARGET), layers.CORALLoss()(SOURCE, TARGET), rtol=1e-4, atol=0)


def test_autocast_takes_no_digits() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(coral(SOURCE, TARGET), coral(SOURCE.double(), TARGET.double()))

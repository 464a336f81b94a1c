"""SWD: two updates made again by hand; the sliced distance against assignments on each line, and pytorch-adapt's."""

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from tests.methods.test_mcd import compare_rounds
from tests.methods.two_updates import build
from tests.peers import pytorch_adapt_layers
from uda.methods.swd import sliced_wasserstein

ONE, OTHER = torch.rand(2, 9, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("backbone", "num_k"), [("unit", 1), ("lenet", 2)])
def test_updates_made_by_hand(backbone: str, num_k: int) -> None:
    def distance(one: Tensor, other: Tensor) -> Tensor:
        """On each line the largest meets the largest, and so on down."""
        lines = torch.randn(3, 12)
        projected = [p.double() @ (lines / (lines**2).sum(0).sqrt()).double() for p in (one, other)]
        first, second = (torch.topk(p, 5, dim=0).values for p in projected)
        squares = [(a - b) ** 2 for a, b in zip(first.flatten(), second.flatten(), strict=True)]
        return torch.stack(squares).mean().float()

    method = build("swd", backbone=backbone, num_k=num_k, hidden=7, directions=12, learning_rate=1e-3)
    compare_rounds(method, distance)


def test_on_each_line_points_meet_as_the_best_assignment_lets_them() -> None:
    torch.manual_seed(1)
    ours = float(sliced_wasserstein(ONE, OTHER, 6))
    torch.manual_seed(1)
    total = 0.0
    for line in torch.randn(4, 6).double().numpy().T:
        one, other = (p.double().numpy() @ line / np.linalg.norm(line) for p in (ONE, OTHER))
        cost = (one[:, None] - other[None]) ** 2
        total += cost[linear_sum_assignment(cost)].mean()
    assert ours == pytest.approx(total / 6, rel=1e-5)


def test_the_order_of_the_points_does_not_matter() -> None:
    assert float(sliced_wasserstein(ONE, ONE.flip(0), 6)) == pytest.approx(0, abs=1e-12)


def test_the_distance_is_pytorch_adapts() -> None:
    layers = pytorch_adapt_layers()
    torch.manual_seed(2)
    with torch.autocast("cpu", torch.bfloat16):
        ours = sliced_wasserstein(ONE, OTHER, 128)
    torch.manual_seed(2)
    torch.testing.assert_close(ours, layers.SlicedWasserstein()(ONE, OTHER))

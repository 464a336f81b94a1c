"""The plan against SciPy's solvers; what is said where POT is not installed."""

import sys

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment, linprog
from torch import Tensor

from uda.errors import UserError
from uda.methods.transport import optimal_plan


def plan_by_hand(cost: Tensor) -> Tensor:
    """The linear programme: least cost, all that leaves a point and all that arrives at one fixed."""
    n, m = cost.shape
    leaves = np.kron(np.eye(n), np.ones(m))
    arrives = np.kron(np.ones(n), np.eye(m))
    solved = linprog(
        cost.detach().double().numpy().ravel(),
        A_eq=np.concatenate([leaves, arrives]),
        b_eq=np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)]),
    )
    return torch.from_numpy(solved.x).reshape(n, m)


@pytest.mark.parametrize("shape", [(6, 5), (3, 8), (1, 4), (7, 7)])
def test_the_plan_solves_the_linear_programme(shape: tuple[int, int]) -> None:
    cost = torch.rand(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    plan = optimal_plan(cost)
    assert plan.dtype == cost.dtype
    assert not plan.requires_grad
    torch.testing.assert_close(plan, plan_by_hand(cost).float(), rtol=1e-5, atol=1e-7)


def test_between_as_many_points_the_plan_is_an_assignment() -> None:
    cost = torch.rand(40, 40, generator=torch.Generator().manual_seed(1))
    expected = torch.zeros(40, 40)
    expected[linear_sum_assignment(cost.numpy())] = 1 / 40
    torch.testing.assert_close(optimal_plan(cost), expected)


def test_without_pot_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(UserError, match=r"pip install -e '.\[ot\]' in uda's folder"):
        optimal_plan(torch.rand(2, 2))

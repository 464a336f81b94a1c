"""Exact optimal transport between two sets of points, by POT, on the CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from uda.errors import UserError


def optimal_plan(cost: Tensor) -> Tensor:
    """Return the plan that moves one set of points onto another at the least cost.

    Every point of a set has the same mass. The plan is found by the network simplex on the CPU: the device waits.

    Parameters
    ----------
    cost
        (N, M) of moving a unit of mass from each point to each; no gradient reaches it.

    Returns
    -------
    Tensor
        (N, M), at least 0, on the device and in the type of the cost; its rows sum to 1/N, its columns to 1/M.

    Raises
    ------
    UserError
        If POT is not installed.
    """
    plan = _pot().emd([], [], cost.detach().double().cpu().numpy())
    return torch.from_numpy(plan).to(cost)


def _pot() -> Any:
    try:
        import ot
    except ImportError as error:
        raise UserError(
            "optimal transport needs the package POT: install it with pip install -e '.[ot]' in uda's folder"
        ) from error
    return ot

"""The gradient reversal layer: what descends a loss after it ascends that loss before it.

Y. Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17 (2016), equations (16) and (17).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.weight = weight
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * -ctx.weight, None


def reverse_gradient(x: Tensor, weight: Tensor) -> Tensor:
    """Return x as it is; on the way back its gradient is multiplied by -weight.

    Parameters
    ----------
    x
        Of any shape.
    weight
        The paper's lambda, a scalar that no gradient reaches: a tensor, so that a captured update can change it.
    """
    reversed_: Tensor = _Reversal.apply(x, weight)
    return reversed_

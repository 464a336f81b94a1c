"""SWD: the game of MCD, where two classifiers disagree by the sliced Wasserstein distance of their predictions.

C.-Y. Lee, T. Batra, M. H. Baig, D. Ulbricht, "Sliced Wasserstein Discrepancy for Unsupervised Domain Adaptation", CVPR
2019, algorithm 1.

As in the authors' code the features move once in a round, where MCD moves them several times. All else is that of
`uda.methods.mcd`: its settings, which the paper takes over for digits, and what differs from the authors' networks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from uda.methods.mcd import Mcd, McdConfig
from uda.methods.ranges import Count


@dataclass(frozen=True)
class SwdConfig(McdConfig):
    """Settings of SWD.

    Attributes
    ----------
    directions
        The paper's M: how many lines the predictions are projected on, drawn anew each time.
    """

    num_k: Count = 1
    directions: Count = 128


class Swd(Mcd, name="swd", kind="discrepancy", config=SwdConfig):
    """A backbone under two classifiers, as in MCD, whose predictions on a batch are compared as distributions."""

    summary = "two classifiers pushed apart on the target by the sliced Wasserstein distance, features against it"
    paper = "Lee et al.: Sliced Wasserstein Discrepancy for Unsupervised Domain Adaptation, CVPR 2019"

    def _disagree(self, features: Tensor) -> Tensor:
        one, other = (torch.softmax(head(features).float(), 1) for head in (self.head, self.second_head))
        return sliced_wasserstein(one, other, self.config.directions)


def sliced_wasserstein(one: Tensor, other: Tensor, directions: int) -> Tensor:
    """Mean squared distance between two sets of points, projected on lines and sorted there, over random lines.

    On a line, sorted points that meet are those that optimal transport of squared distances brings together.

    Parameters
    ----------
    one, other
        (N, K) each.
    directions
        How many lines.

    Returns
    -------
    Tensor
        Scalar, in fp32.
    """
    lines = F.normalize(torch.randn(one.shape[1], directions, device=one.device), dim=0).double()
    # fp64 because neither autocast nor TF32 rounds its products
    first, second = (torch.sort(points.double() @ lines, dim=0).values for points in (one, other))
    return (first - second).square().mean().float()

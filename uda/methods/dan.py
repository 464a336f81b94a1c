"""DAN: the layers that are specific to a task give both domains features of the same mean embedding.

M. Long, Y. Cao, J. Wang, M. I. Jordan, "Learning Transferable Features with Deep Adaptation Networks", ICML 2015.
Equation numbers are the paper's.

What differs: the kernels of a layer have equal weights beta in equation (2), where the paper learns them; five
bandwidths around the mean squared distance of a batch, as in the authors' code, not 33 around the median; all pairs of
different images in a batch count, not the linear-time sample of equation (5): both estimates are unbiased; Adam and a
cosine schedule. The weights beta sum to 1, as in the paper; the authors' code sums the five kernels, so that its weight
of 1 is one of 5 here.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from uda.data.batches import Batch
from uda.methods.base import cross_entropy, descend, detached
from uda.methods.joint import JointConfig, JointMethod
from uda.methods.mmd import kernel_matrix, mean_discrepancy


@dataclass(frozen=True)
class DanConfig(JointConfig):
    """Settings of DAN.

    Attributes
    ----------
    lambda_mmd
        Weight of the sum over layers of their discrepancies, equation (4).
    """

    lambda_mmd: float = 1.0


class Dan(JointMethod, name="dan", kind="discrepancy", config=DanConfig):
    """A backbone and a head; what both give, features and logits, is adapted (figure 1)."""

    summary = "multi-kernel MMD between the domains' features, and between their logits"
    paper = "Long et al.: Learning Transferable Features with Deep Adaptation Networks, ICML 2015"

    @classmethod
    def trains_on(cls, config: DanConfig) -> tuple[str, ...]:
        """Name the maximum mean discrepancy of features."""
        return ("mmd",) if config.lambda_mmd else ()

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend equation (4): classification of the source, and MK-MMD in every layer that is adapted."""
        source, target = self.joint_outputs(batch)
        classification = cross_entropy(source.logits, batch.source_labels)
        layers = zip(source, target, strict=True)
        mmd = torch.stack([mean_discrepancy(kernel_matrix(torch.cat(layer)), len(layer[0])) for layer in layers]).sum()
        descend(self.optimiser, classification + self.config.lambda_mmd * mmd)
        return detached(classification=classification, mmd=mmd)

"""AFN: features of larger norm, in which domains differ less.

R. Xu, G. Li, J. Yang, L. Lin, "Larger Norm More Transferable: An Adaptive Feature Norm Approach for Unsupervised Domain
Adaptation", ICCV 2019: hard (HAFN) and stepwise (SAFN).

As in the authors' networks the features whose norms are adapted come out of batch normalisation and ReLU: their scale
is then a parameter, which grows by the learning rate at each step at most. Those of a last linear layer grow without
end under Adam, which takes steps of that size however small the gradient. What differs: Adam and a cosine schedule
instead of momentum; the backbones' own dropout, or none, instead of one that preserves the L2 norm; no entropy
minimisation, which the paper adds in some rows. The stepwise distance is a mean over the images of both domains, as in
the paper; the authors' code adds the domains' means, so that its weight of 0.05 is one of 0.1 here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from uda.data.batches import Batch
from uda.errors import unknown
from uda.methods.backbones import Backbone, NormalisedBackbone
from uda.methods.base import cross_entropy, descend, detached
from uda.methods.joint import JointConfig, JointMethod


@dataclass(frozen=True)
class AfnConfig(JointConfig):
    """Settings of AFN.

    Attributes
    ----------
    variant
        ``"stepwise"``: the norm of each image's features is to be larger than it is; ``"hard"``: the mean norm of each
        domain is to be ``radius``.
    lambda_norm
        Weight of the distance between norms and what they are to be.
    increase
        By how much norms are to grow, the paper's delta r.
    radius
        The paper's R.
    """

    variant: str = "stepwise"
    lambda_norm: float = 0.05
    increase: float = 1.0
    radius: float = 25.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.variant not in ("stepwise", "hard"):
            raise unknown("variant", self.variant, ("stepwise", "hard"))


class Afn(JointMethod, name="afn", kind="discrepancy", config=AfnConfig):
    """A backbone and a head; the norms of the features between them are adapted (figure 2)."""

    summary = "features of both domains get larger norms, step by step or towards one radius"
    paper = "Xu et al.: Larger Norm More Transferable, ICCV 2019"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "default": {},
        # the paper's 0.05 drowns classification under Adam until the radius is reached: this is the authors' code's
        "hard": {"variant": "hard", "lambda_norm": 0.01},
    }

    def wrap(self, backbone: Backbone) -> Backbone:
        """Put batch normalisation and ReLU behind the backbone."""
        return NormalisedBackbone(backbone, nn.ReLU())

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend classification of the source and the distance of norms from what they are to be.

        The stepwise distance has the same value at each step, and only its gradient tells: the norms are reported.
        """
        source, target = self.joint_outputs(batch)
        classification = cross_entropy(source.logits, batch.source_labels)
        norms = [torch.linalg.vector_norm(f.float(), dim=1) for f in (source.features, target.features)]
        descend(self.optimiser, classification + self.config.lambda_norm * self._distance(*norms))
        return detached(classification=classification, source_norm=norms[0].mean(), target_norm=norms[1].mean())

    def _distance(self, source: Tensor, target: Tensor) -> Tensor:
        """Return how far the (N,) and (M,) norms are from what they are to be."""
        config: AfnConfig = self.config
        if config.variant == "hard":
            return (source.mean() - config.radius).square() + (target.mean() - config.radius).square()
        norms = torch.cat([source, target])
        return (norms.detach() + config.increase - norms).square().mean()

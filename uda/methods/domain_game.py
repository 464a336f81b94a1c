"""The game that features play against a domain classifier: its networks, its loss, and how hard it is played.

Y. Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17 (2016), whose equation numbers are used here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from uda.data.neutral import added
from uda.methods.joint import JointConfig, JointReader, risen
from uda.methods.ranges import Count, Share


@dataclass(frozen=True)
class DomainGameConfig(JointConfig):
    """Settings of methods that reverse the gradient of a domain classifier.

    Adam's ``beta_1`` is that of UNIT's game: with 0.9, features and domain classifier overshoot each other.

    Attributes
    ----------
    hidden
        Hidden units of the domain classifier.
    lambda_domain
        The weight, lambda, with which the features ascend the domain loss, once the ramp is at its end.
    ramp
        The paper's gamma: how soon lambda rises from 0 to ``lambda_domain``.
    """

    beta_1: Share = 0.5
    latent: int = added(0)
    hidden: Count = 100
    lambda_domain: float = 1.0
    ramp: float = 10.0


class DomainGame(JointReader):
    """A classifier whose features get the gradient of a domain classifier reversed, ever more of it."""

    def weight(self, step: Tensor) -> Tensor:
        """Return lambda at a step: ``lambda_domain``, as far as it has risen."""
        weight: Tensor = self.config.lambda_domain * risen(self.config.ramp, step / self.task.steps)
        return weight


def domain_classifier(inputs: int, *hidden: int, outputs: int = 1, dropout: float = 0.0) -> nn.Sequential:
    """Build a domain classifier: linear layers with ReLU between, and dropout behind each ReLU where there is any.

    Parameters
    ----------
    inputs, hidden, outputs
        Values that it reads of an image, that each hidden layer has, and that it gives: one logit of being a source
        image, unless a method wants more.
    dropout
        Rate, 0 to 1.
    """
    layers: list[nn.Module] = []
    for n, wide in pairwise((inputs, *hidden)):
        layers += [nn.Linear(n, wide), nn.ReLU()]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear((inputs, *hidden)[-1], outputs))


def domain_loss(source: Tensor, target: Tensor, weights: Sequence[Tensor] | None = None) -> Tensor:
    """Binomial cross-entropy of telling the domains apart, in nats: what lambda multiplies in equation (10).

    Parameters
    ----------
    source, target
        (N,) and (M,) logits of being a source image.
    weights
        (N,) and (M,), what each image counts in the mean over its domain; all alike where there are none. Their sums
        get no gradient.

    Returns
    -------
    Tensor
        Scalar, in fp32: the mean over source images plus the mean over target images; 2 log 2 where nothing tells them
        apart.
    """
    on_source, on_target = F.softplus(-source.float()), F.softplus(target.float())
    if weights is None:
        return on_source.mean() + on_target.mean()
    of_source, of_target = (w / w.sum().detach() for w in weights)
    return (of_source * on_source).sum() + (of_target * on_target).sum()

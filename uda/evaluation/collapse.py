"""Which runs have collapsed: a model that takes all images for one class is sure of itself, and consistent."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

#: The validator that says over how many classes predictions spread: the entropy of their mean, in nats.
SPREAD = "diversity"
#: Runs whose predictions spread over less than this share of the classes of the most even beside them have collapsed.
SHARE = 0.5


def collapsed(spreads: Mapping[Key, float]) -> set[Key]:
    """Return what has collapsed of things that are compared, without a target label.

    Parameters
    ----------
    spreads
        Entropy in nats of the mean prediction for target images, so that its exponential is a number of classes. What
        has none, not a number, has not collapsed.
    """
    known = {key: math.exp(spread) for key, spread in spreads.items() if not math.isnan(spread)}
    most = max(known.values(), default=0.0)
    return {key for key, classes in known.items() if classes < SHARE * most}

"""How often each class is predicted: a class that a classifier has lost shows here without a label."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

#: A class that is predicted for less than this part of an even share may be lost.
RARE = 0.2


def predicted_shares(logits: Tensor) -> list[float]:
    """Return the share of images, 0 to 1, that is predicted as each class.

    Parameters
    ----------
    logits
        (N, K), N at least 1.
    """
    count, classes = logits.shape
    shares: list[float] = (torch.bincount(logits.argmax(1), minlength=classes).double() / count).tolist()
    return shares


def rare_classes(shares: Mapping[str, float]) -> dict[str, float]:
    """Return the classes that are predicted for less than `RARE` of an even share, the rarest first.

    Parameters
    ----------
    shares
        Name of each class to its share of the predictions, 0 to 1.
    """
    rare = {name: share for name, share in shares.items() if share < RARE / len(shares)}
    return dict(sorted(rare.items(), key=lambda item: item[1]))


def warn_of_rare(shares: Mapping[str, float]) -> str:
    """Return a sentence of warning where classes are rare among the predictions of target images; else nothing."""
    rare = rare_classes(shares)
    if not rare:
        return ""
    named = ", ".join(f"{name} ({100 * share:.1f} %)" for name, share in rare.items())
    return (
        f"hardly predicted for the target's training images at the last step: {named}; an even share is "
        f"{100 / len(shares):.0f} %. Unless the target has few of them they are lost, which shows without a label: "
        "terms for class balance and information maximisation are there to keep them"
    )

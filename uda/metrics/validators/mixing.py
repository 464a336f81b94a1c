"""MixVal: mixtures of two target images must be predicted as the one of which there is more."""

from __future__ import annotations

from torch import Tensor

from uda.metrics.validators.registry import validator

#: Share of the first image in a mixture (Hu et al. 2023).
MIX = 0.55


@validator("mixval")
def mixval(target_train_logits: Tensor, target_mixed_logits: Tensor, target_mixed_partner: Tensor) -> float:
    """Share of mixtures that are predicted as the image of which there is more, in percent (Hu et al. 2023).

    The mean of two shares: among mixtures of images that are predicted alike, which tells how dense a cluster is,
    and among those of images that are not, which tells where the boundary lies. Where there is none of one kind,
    as in a model that predicts a single class, its share is 0. Partners are drawn from all images, so that about one
    mixture in K is of two that are predicted alike; the authors draw them so that nearly every image has one of each.

    Parameters
    ----------
    target_train_logits
        (N, K) of the images.
    target_mixed_logits
        (N, K) of `MIX` of each image and 1 - `MIX` of its partner.
    target_mixed_partner
        (N,) int64: each image's partner.
    """
    predicted = target_train_logits.argmax(1)
    kept = (target_mixed_logits.argmax(1) == predicted).double()
    alike = predicted == predicted[target_mixed_partner]
    shares = [float(kept[kind].mean()) if kind.any() else 0.0 for kind in (alike, ~alike)]
    return 100.0 * sum(shares) / 2

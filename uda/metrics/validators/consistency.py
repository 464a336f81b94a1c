"""Consistency: an image that is shifted and sheared must be predicted as before."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from uda.metrics.validators.registry import validator


@validator("consistency")
def consistency(target_train_logits: Tensor, target_augmented_logits: Tensor) -> float:
    """Effective invariance: how sure the same prediction is made twice (Deng et al. 2022).

    The mean, over target images, of the geometric mean of the probabilities of the likeliest class of an image and
    of its augmentation; 0 for an image where the two classes differ. Between 0 and 1; a model that predicts one class
    with certainty, whatever it is shown, gets 1.

    Parameters
    ----------
    target_train_logits, target_augmented_logits
        (N, K), of the same images in the same order.
    """
    sure, predicted = F.softmax(target_train_logits.double(), 1).max(1)
    sure_again, predicted_again = F.softmax(target_augmented_logits.double(), 1).max(1)
    return float(((predicted == predicted_again) * (sure * sure_again).sqrt()).mean())

"""Reverse validation: what the target's predicted labels teach must hold on the source."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from uda.metrics.validators.features import standardise
from uda.metrics.validators.registry import validator

#: L2 penalty of the reverse classifier, on the mean squared error over standardised features.
PENALTY = 1e-2


@validator("reverse")
def reverse(
    target_train_features: Tensor,
    target_train_logits: Tensor,
    source_val_features: Tensor,
    source_val_labels: Tensor,
) -> float:
    """Accuracy on held-out source images, in percent, of a classifier learnt from the target's predicted labels.

    Reverse validation (Zhong et al. 2010; Ganin et al. 2016) with ridge regression on the features
    as the reverse classifier, which has a closed form.

    Parameters
    ----------
    target_train_features, target_train_logits
        (N, F) and (N, K).
    source_val_features, source_val_labels
        (M, F) and (M,).
    """
    target, source = standardise(target_train_features, source_val_features)
    wanted = F.one_hot(target_train_logits.argmax(1), target_train_logits.shape[1]).double()
    offset = wanted.mean(0)
    penalty = PENALTY * len(target) * torch.eye(target.shape[1], dtype=torch.float64)
    weights = torch.linalg.solve(target.T @ target + penalty, target.T @ (wanted - offset))
    return 100.0 * float(((source @ weights + offset).argmax(1) == source_val_labels).double().mean())

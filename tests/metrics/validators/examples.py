"""Outputs of a made-up model on two made-up domains: what a run hands to the validators."""

from __future__ import annotations

import torch
from torch import Tensor

CLASSES = 5


def make_outputs(count: int = 120, size: int = 8, seed: int = 0) -> dict[str, Tensor]:
    """Draw features around class means, the target's shifted, and logits that are right for most images."""
    generator = torch.Generator().manual_seed(seed)
    means = 2 * torch.randn(CLASSES, size, generator=generator)
    readout = torch.randn(size, CLASSES, generator=generator)

    def draw(shift: float) -> tuple[Tensor, Tensor]:
        labels = torch.randint(0, CLASSES, (count,), generator=generator)
        return means[labels] + torch.randn(count, size, generator=generator) + shift, labels

    (train, train_labels), (val, val_labels), (target, _) = draw(0), draw(0), draw(0.3)
    partner = torch.randperm(count, generator=generator)
    mixed = 0.55 * target + 0.45 * target[partner]
    return {
        "source_train_features": train,
        "source_train_labels": train_labels,
        "source_val_features": val,
        "source_val_logits": val @ means.T + val @ readout,
        "source_val_labels": val_labels,
        "target_train_features": target,
        "target_train_logits": target @ means.T + target @ readout,
        "target_augmented_logits": (target + 0.3 * torch.randn(count, size, generator=generator)) @ means.T,
        "target_mixed_logits": mixed @ means.T + mixed @ readout,
        "target_mixed_partner": partner,
    }

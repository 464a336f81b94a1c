"""What the validators are shown of a run: fixed samples of images, and the model's outputs on them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from uda.data.augmentation import Augmentation, augment
from uda.data.protocols import TaskData
from uda.methods import Method
from uda.metrics.validators.mixing import MIX
from uda.training.scoring import predict_outputs

#: At most so many images of a split are shown to the validators.
VALIDATION_IMAGES = 2000
#: How target images are moved to see whether their predictions stay; the same for all runs, so that they compare.
MOVED = Augmentation(shift=2, affine=0.1)


@dataclass(frozen=True)
class ValidationImages:
    """Fixed samples of a task, the same in every run on it; all images (N, C, S, S) uint8.

    Attributes
    ----------
    source_train, source_train_labels
        Of the training split.
    source_val, source_val_labels
        Held out from training.
    target_train
        Unlabelled.
    target_moved
        The same images in the same order, each shifted and sheared by `MOVED`.
    target_mixed, target_partner
        `MIX` of each of those images and 1 - `MIX` of another; (N,) int64, which one.
    """

    source_train: Tensor
    source_train_labels: Tensor
    source_val: Tensor
    source_val_labels: Tensor
    target_train: Tensor
    target_moved: Tensor
    target_mixed: Tensor
    target_partner: Tensor


def draw_validation_images(task: TaskData) -> ValidationImages:
    """Draw the samples of a task, with fixed seeds: those of all splits with the same one.

    Splits of equal length are so sampled at the same places. Where the target is the source restyled in the same order,
    its sample is of the source sample's own images, and what compares the two, ``nearest-source`` and ``mmd``, finds
    each image's original there. It is the same in every run on a task, and stays so: scores that are stored could not
    be made again otherwise.
    """
    train, val, seen = (fixed_sample(len(split)) for split in (task.source_train, task.source_val, task.target_train))
    target = task.target_train[seen]
    generator = torch.Generator().manual_seed(0)
    moved = augment(target, MOVED, generator)
    partner = torch.randperm(len(target), generator=generator)
    mixed = MIX * target.float() + (1 - MIX) * target[partner].float()
    return ValidationImages(
        source_train=task.source_train.images[train],
        source_train_labels=task.source_train.labels[train],
        source_val=task.source_val.images[val],
        source_val_labels=task.source_val.labels[val],
        target_train=target,
        target_moved=((moved + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8),
        target_mixed=mixed.round().to(torch.uint8),
        target_partner=partner,
    )


def validation_outputs(method: Method, images: ValidationImages) -> dict[str, Tensor]:
    """Return what `uda.metrics.validators.VISIBLE` names, of a model as it is now."""
    source_val = predict_outputs(method, images.source_val, source=True)
    target_train = predict_outputs(method, images.target_train)
    return {
        "source_train_features": predict_outputs(method, images.source_train, source=True).features,
        "source_train_labels": images.source_train_labels,
        "source_val_features": source_val.features,
        "source_val_logits": source_val.logits,
        "source_val_labels": images.source_val_labels,
        "target_train_features": target_train.features,
        "target_train_logits": target_train.logits,
        "target_augmented_logits": predict_outputs(method, images.target_moved).logits,
        "target_mixed_logits": predict_outputs(method, images.target_mixed).logits,
        "target_mixed_partner": images.target_partner,
    }


def fixed_sample(count: int, most: int = VALIDATION_IMAGES) -> Tensor:
    """Return the indices of at most so many of ``count`` images, drawn with a fixed seed: the same in every run."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    return order[:most]

"""UNIT at the size of the digit recipes, on random images: what the measurements on a CPU are made of."""

from __future__ import annotations

import torch

from uda.data.augmentation import Augmentation
from uda.data.batches import Batches
from uda.methods import TaskShape
from uda.methods.unit import UnitConfig, UnitMethod
from uda.training.capture import make_updates
from uda.training.devices import resolve_precision
from uda.training.probe import Layout, lay_out
from uda.training.updates import Updates

SIZE, BATCH, IMAGES, CLASSES = 28, 64, 2000, 10


def digit_method() -> UnitMethod:
    """Build UNIT at the widths of the digit recipes."""
    torch.manual_seed(0)
    shape = (1, SIZE, SIZE)
    config = UnitConfig(width=32, generator_width=8, discriminator_width=8)
    method = UnitMethod(config, TaskShape(shape, shape, CLASSES, 1000)).train()
    lay_out(method, Layout())
    return method


def digit_updates(method: UnitMethod) -> Updates:
    """Return the updates of a method on random images: their contents change no timing."""
    images = torch.randint(0, 256, (IMAGES, 1, SIZE, SIZE), dtype=torch.uint8)
    labels = torch.arange(IMAGES) % CLASSES
    batches = Batches(images, labels, images, BATCH, Augmentation(2, 0.1), 1, "cpu", method.second_view)
    return make_updates(method, batches, resolve_precision("cpu", "auto"), 1)

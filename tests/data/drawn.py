"""Random images, and a generator that begins at the same place each time."""

from __future__ import annotations

import torch
from torch import Tensor


def images_of(count: int = 40, channels: int = 3, size: int = 12) -> Tensor:
    seeded = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, channels, size, size), dtype=torch.uint8, generator=seeded)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)

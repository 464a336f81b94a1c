"""Small methods with all that an augmentation can do: what tests of updates, eager and captured, are made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from uda.data.augmentation import Augmentation
from uda.data.batches import Batches
from uda.methods import METHODS, Method, TaskShape

#: Every switch is on.
AUGMENTATION = Augmentation(
    shift=1,
    affine=0.1,
    flip=True,
    scale_low=0.5,
    offset=0.1,
    noise=0.1,
    colour=True,
    texture=1.0,
    tone=5.0,
    painted=0.5,
)

#: Settings of UNIT that are off by default.
FURTHER: list[tuple[str, dict[str, Any]]] = [
    ("unit", {"head": head, "refine_share": 0.5, "lambda_balance": 1.0, **dict.fromkeys(names, 1.0)})
    for names in (
        ["lambda_semantic", "lambda_semantic_back", "lambda_information"],
        ["lambda_entropy", "lambda_vat_source", "lambda_vat_target", "lambda_4"],
    )
    for head in ("encoder", "discriminator")
] + [
    ("unit", {"lambda_teacher": 0.0, "average_decay": 0.99, "refine_share": 0.5, "refine_even": False}),
    ("unit", {"plain_game": True, "game_share": 0.5, "depth": 1, "alignment": 0.99}),
    ("unit", {"strong_views": True, "lambda_vat_target": 1.0, "discriminator_trunk": "lenet", "teaching": "classes"}),
]


def small(
    name: str, settings: dict[str, Any], steps: int, *, device: str = "cpu", seed: int = 1, padding: str = "black"
) -> tuple[Method, Batches]:
    """Build a method of width 2 on 40 random images of 16x16 in three classes, and its batches of 8."""
    torch.manual_seed(seed)
    images = torch.randint(0, 256, (40, 1, 16, 16), dtype=torch.uint8)
    method = METHODS[name](METHODS[name].Config(width=2, **settings), TaskShape((1, 16, 16), (1, 16, 16), 3, steps))
    method.to(device).train()
    if method.sees_target_labels:
        method.receive_target_labels(torch.zeros(40, dtype=torch.long, device=device))
    augmentation = replace(AUGMENTATION, padding=padding)
    return method, Batches(images, torch.arange(40) % 3, images, 8, augmentation, seed, device, method.second_view)

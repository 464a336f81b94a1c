"""What all contestants of the race of DANNs share: images, networks with equal weights, Adam's settings."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from uda.methods import TaskShape
from uda.methods.dann import Dann, DannConfig

BATCH, IMAGES, CLASSES = 128, 2000, 10
SHAPE = (3, 32, 32)
RATE, BETAS = 1e-3, (0.5, 0.999)
#: Where the ramp of lambda would end; no race comes near.
PLANNED = 10_000


@dataclass(frozen=True)
class Task:
    """What is learnt from: uint8 images of both domains, the source's labels, and where the work is done."""

    source: Tensor
    labels: Tensor
    target: Tensor
    batch_size: int
    device: torch.device


@dataclass(frozen=True)
class Networks:
    """The networks of DANN: features of images, logits of classes, (N, 1) logits of being a source image."""

    backbone: nn.Module
    head: nn.Module
    domain_head: nn.Module

    @property
    def all(self) -> nn.ModuleList:
        """The three in one module."""
        return nn.ModuleList([self.backbone, self.head, self.domain_head])


def draw_task(device: torch.device) -> Task:
    """Draw images of the size of SVHN's; their contents change no timing."""
    generator = torch.Generator().manual_seed(0)
    source, target = (
        torch.randint(256, (IMAGES, *SHAPE), dtype=torch.uint8, generator=generator) for _ in ("source", "target")
    )
    return Task(source, torch.randint(CLASSES, (IMAGES,), generator=generator), target, BATCH, device)


def build_method() -> Dann:
    """Build our DANN on DTN, with the same weights each time."""
    torch.manual_seed(0)
    config = DannConfig(learning_rate=RATE, beta_1=BETAS[0], beta_2=BETAS[1], backbone="dtn")
    return Dann(config, TaskShape(SHAPE, SHAPE, CLASSES, PLANNED))


def build_networks() -> Networks:
    """Build the networks of our DANN, for another's loop."""
    method = build_method()
    return Networks(*(copy.deepcopy(network) for network in (method.backbone, method.head, method.domain_head)))

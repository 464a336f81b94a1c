"""DANN's update as a bare loop in plain torch, written for this one case: what our framework is measured against."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from dann_task import BETAS, PLANNED, RATE, Networks, Task
from torch import Tensor, nn
from torch.nn import functional as F


class Reverse(torch.autograd.Function):
    """The identity, whose gradient is multiplied by -weight."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: float) -> Tensor:
        """Pass features on."""
        ctx.weight = weight
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Turn their gradient round."""
        return -ctx.weight * gradients[0], None


def indices(images: int, batch_size: int, device: torch.device) -> Iterator[Tensor]:
    """Yield the indices of batches, epoch after epoch, each epoch's short tail dropped."""
    while True:
        order = torch.randperm(images, device=device)
        yield from torch.split(order[: images - images % batch_size], batch_size)


def device_batches(task: Task) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the images of both domains, source first, and the source's labels: uint8 on the device, scaled there."""
    device, n = task.device, task.batch_size
    source, labels, target = (x.to(device) for x in (task.source, task.labels, task.target))
    for i, j in zip(indices(len(source), n, device), indices(len(target), n, device), strict=False):
        yield torch.cat([source[i], target[j]]).float() / 127.5 - 1.0, labels[i]


def learn(task: Task, networks: Networks, batches: Iterable[tuple[Tensor, Tensor]], bf16: bool) -> Iterator[None]:
    """Make a step on the next batch whenever the next is asked for."""
    device, n = task.device, task.batch_size
    backbone, head, domain_head = networks.backbone, networks.head, networks.domain_head
    optimiser = torch.optim.Adam(networks.all.parameters(), RATE, BETAS, fused=True)
    for step, (images, labels) in enumerate(batches):
        weight = 2.0 / (1.0 + math.exp(-10.0 * step / PLANNED)) - 1.0
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            features = backbone(images)
            classification = F.cross_entropy(head(features[:n]).float(), labels)
            verdicts = domain_head(Reverse.apply(features, weight)).float().squeeze(1)
            domain = F.softplus(-verdicts[:n]).mean() + F.softplus(verdicts[n:]).mean()
        optimiser.zero_grad()
        torch.autograd.backward(classification + domain)
        optimiser.step()
        yield


def bare_dann(task: Task, networks: Networks, bf16: bool) -> Iterator[None]:
    """Make a step whenever the next is asked for.

    The networks, their memory format, autocast and Adam are ours; images wait as uint8 on the device, and are indexed
    and scaled there. Nothing is scheduled but lambda, nothing is logged, and no batch can be made again.
    """
    nn.Module.to(networks.all.to(task.device), memory_format=torch.channels_last)
    return learn(task, networks, device_batches(task), bf16)

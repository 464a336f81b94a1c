"""DANN's update in eager fp32, fed as other toolkits feed theirs: by PIL images, made into tensors one by one."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from authors_unit import PilImages
from bare_dann import learn
from dann_task import Networks, Task
from torch import Tensor
from torch.utils.data import DataLoader


def pil_batches(task: Task, workers: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the images of both domains, source first, and the source's labels, moved to the device batch by batch."""
    nowhere = torch.zeros(len(task.target), dtype=torch.long)
    source, target = (
        DataLoader(
            data, task.batch_size, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=workers > 0
        )
        for data in (PilImages(task.source, task.labels), PilImages(task.target, nowhere))
    )
    while True:
        for (x_1, labels), (x_2, _) in zip(source, target, strict=False):
            yield torch.cat([x_1.to(task.device), x_2.to(task.device)]), labels.to(task.device)


def pil_dann(task: Task, networks: Networks, workers: int) -> Iterator[None]:
    """Make a step whenever the next is asked for: the bare loop's, in fp32 and NCHW.

    Parameters
    ----------
    workers
        Processes of each domain's data loader; 0 loads in this one.
    """
    networks.all.to(task.device)
    return learn(task, networks, pil_batches(task, workers), bf16=False)

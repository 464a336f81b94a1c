"""DANN as pytorch-adapt has it: its adapter, on its own data sets and loader."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from dann_task import BETAS, RATE, Networks, Task
from PIL import Image
from pytorch_adapt.adapters import DANN
from pytorch_adapt.containers import Models, Optimizers
from pytorch_adapt.datasets import CombinedSourceAndTargetDataset, DataloaderCreator, SourceDataset, TargetDataset
from pytorch_adapt.utils.common_functions import batch_to_device
from torch import Tensor, nn
from torch.utils.data import Dataset
from torchvision import transforms


class Pictures(Dataset[tuple[Tensor, int]]):
    """Images in memory as torchvision's digits keep and return them, with the transform of pytorch-adapt's examples."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images = images.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels = labels.tolist()
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def pytorch_adapt_dann(task: Task, networks: Networks) -> Iterator[None]:
    """Make a step whenever the next is asked for.

    Fair to pytorch-adapt: the loop is the one of its documentation, in which the adapter's step is all there is beside
    the loader; its frameworks would add to it. The loader has no workers, its default, as nothing else here has any.
    """
    source = SourceDataset(Pictures(task.source, task.labels))
    target = TargetDataset(Pictures(task.target, torch.zeros(len(task.target), dtype=torch.long)))
    loaders = DataloaderCreator(batch_size=task.batch_size)(train=CombinedSourceAndTargetDataset(source, target))
    networks.all.to(task.device)
    domain_head = nn.Sequential(networks.domain_head, nn.Flatten(0))  # its loss takes (N,) logits
    models = Models({"G": networks.backbone, "C": networks.head, "D": domain_head})
    adapter = DANN(models=models, optimizers=Optimizers((torch.optim.Adam, {"lr": RATE, "betas": BETAS})))
    while True:
        for batch in loaders["train"]:
            adapter.models.train()
            adapter.training_step(batch_to_device(batch, task.device))
            yield

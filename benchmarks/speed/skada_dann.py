"""DANN as skada has it: its estimator for deep networks, on skorch's loop."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from dann_task import BETAS, RATE, Networks, Task
from skada.deep import DANN
from skada.deep.base import DeepDADataset
from skada.deep.modules import GradientReversalLayer
from torch import Tensor, nn

from uda.data.augmentation import to_float

#: skada's marks: domains of 0 and more are sources, negative ones targets; -1 is no label.
SOURCE, TARGET, NO_LABEL = 1, -2, -1


class Classifier(nn.Module):
    """Backbone and head in one module, as skada wants them; it reads the features off the layer of that name."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.backbone, self.head = networks.backbone, networks.head

    def forward(self, X: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Map (N, C, S, S) images to (N, K) logits."""
        logits: Tensor = self.head(self.backbone(X))
        return logits


class DomainClassifier(nn.Module):
    """Our domain head behind skada's gradient reversal, in the place of skada's own domain classifier."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.layers = networks.domain_head

    def forward(self, features: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Map (N, F) features to (N,) logits."""
        logits: Tensor = self.layers(GradientReversalLayer.apply(features, 1.0))
        return logits.squeeze(1)


def skada_dann(task: Task, networks: Networks) -> Iterator[None]:
    """Make a step whenever the next is asked for.

    Fair to skada: images are scaled to floats before the race, as its estimator takes them, and its sampler's walk over
    all images, once a fit, is not timed. What is timed is what ``fit`` does for a batch: skada's loader with its
    sampler, skorch's training step, its history and callbacks. ``fit`` gives no control between two batches, so its two
    loops are opened here: an epoch's notifications are sent by us, and `run_single_epoch` gets one batch at a time.
    Printing is off, and so is the validation split, which would be evaluated every epoch.
    """
    net = DANN(
        Classifier(networks),
        layer_name="backbone",
        domain_classifier=DomainClassifier(networks),
        domain_criterion=nn.BCEWithLogitsLoss(),
        optimizer=torch.optim.Adam,
        optimizer__betas=BETAS,
        lr=RATE,
        batch_size=task.batch_size,
        train_split=None,
        device=str(task.device),
        verbose=0,
    )
    data = DeepDADataset(
        torch.cat([to_float(task.source), to_float(task.target)]).numpy(),
        torch.cat([task.labels, torch.full((len(task.target),), NO_LABEL)]).numpy(),
        torch.tensor([SOURCE] * len(task.source) + [TARGET] * len(task.target)).numpy(),
    )
    net.initialize()
    net.notify("on_train_begin", X=data, y=None)
    loader = net.get_iterator(data, training=True)
    while True:
        net.notify("on_epoch_begin", dataset_train=data, dataset_valid=None)
        for batch in loader:
            net.run_single_epoch([batch], training=True, prefix="train", step_fn=net.train_step)
            yield
        net.notify("on_epoch_end", dataset_train=data, dataset_valid=None)

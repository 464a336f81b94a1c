"""Features of both domains in the plane: t-SNE of what a checkpoint's classifier reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from uda.data.protocols import load_task
from uda.errors import UserError
from uda.evaluation.classify import Weights
from uda.evaluation.labels import domain_labels
from uda.training.checkpoint import load_model
from uda.training.scoring import predict_outputs


@dataclass(frozen=True)
class Embedding:
    """Images as points of the plane.

    Attributes
    ----------
    points
        (N, 2); the axes mean nothing, only what is near what.
    labels
        (N,) true classes; those of target images that the checkpoint predicts, where these have none.
    target
        (N,) bool: whether the image is of the target domain.
    labelled
        Whether target images have true classes.
    class_names
        In label order.
    source_name, target_name
        Of the domains, for people.
    """

    points: NDArray[np.float64]
    labels: NDArray[np.int64]
    target: NDArray[np.bool_]
    labelled: bool
    class_names: tuple[str, ...]
    source_name: str
    target_name: str


def embed_domains(path: Path, weights: Weights, root: Path, count: int = 1000, seed: int = 0) -> Embedding:
    """Embed held-out images of both domains of a run (the test split of each).

    Parameters
    ----------
    path
        ``checkpoint.pt`` of a run.
    weights
        Those of the last step or of the validator's pick.
    root
        The data root.
    count
        Number of images, half of each domain where there are as many.
    seed
        Which images, and where t-SNE starts.

    Raises
    ------
    UserError
        For a file that is no checkpoint of ours, missing data, or too few images.
    """
    method, loaded = load_model(path, weights)
    config = loaded.config
    task = load_task(config.protocol, config.source, config.target, root)
    source, target = (_draw(len(split), count // 2, seed) for split in (task.source_val, task.target_test))
    if len(source) + len(target) < 8:
        raise UserError(f"t-SNE of {len(source) + len(target)} images shows nothing: give it 8 or more")
    method = method.to(memory_format=torch.channels_last)
    of_source = predict_outputs(method, task.source_val.images[source], source=True)
    of_target = predict_outputs(method, task.target_test.images[target])
    labelled = task.target_test.labelled
    of_class = task.target_test.labels[target] if labelled else of_target.logits.argmax(1)
    labels = torch.cat([task.source_val.labels[source], of_class])
    source_name, target_name = domain_labels((config.source, config.target))
    return Embedding(
        points=tsne(torch.cat([of_source.features, of_target.features]), seed),
        labels=labels.numpy(),
        target=np.arange(len(labels)) >= len(source),
        labelled=labelled,
        class_names=loaded.class_names,
        source_name=source_name,
        target_name=target_name,
    )


def tsne(features: Tensor, seed: int) -> NDArray[np.float64]:
    """Embed (N, F) features in the plane, (N, 2): van der Maaten and Hinton 2008, started from principal components.

    One thread: sums in another order would send points elsewhere, and a figure should be the same each time.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(30.0, (len(features) - 1) / 3)
    with threadpool_limits(limits=1):
        points = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(features.numpy())
    return np.asarray(points, dtype=np.float64)


def _draw(total: int, count: int, seed: int) -> Tensor:
    """Return at most ``count`` of ``total`` indices, the same for the same seed."""
    return torch.randperm(total, generator=torch.Generator().manual_seed(seed))[:count]

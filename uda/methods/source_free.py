"""What a network learns from target images alone, once it can classify: SHOT's target stage.

J. Liang, D. Hu, J. Feng, "Do We Really Need to Access the Source Data? Source Hypothesis Transfer for Unsupervised
Domain Adaptation", ICML 2020.
"""

from __future__ import annotations

import torch
from torch import Tensor

from uda.data.augmentation import to_float
from uda.data.batches import Batches
from uda.methods.base import Method, cross_entropy
from uda.methods.centroids import centroid_labels
from uda.methods.entropy import conditional_entropy, marginal_entropy

#: Images in one pass when all are labelled.
PIECE = 500


def begins_epoch(step: int, begin: int, batches: Batches) -> bool:
    """Whether an epoch of the target images begins at a step, if one did at the step ``begin``."""
    return (step - begin) % (len(batches.target_images) // batches.batch_size) == 0


@torch.no_grad()
def label_images(method: Method, images: Tensor) -> Tensor:
    """Return the (M,) pseudo-labels, by centroids, of (M, C, S, S) uint8 target images as they are, not augmented."""
    method.eval()
    pieces = [method.outputs(to_float(piece)) for piece in torch.split(images, PIECE)]
    method.train()
    return centroid_labels(*(torch.cat(parts) for parts in zip(*pieces, strict=True)))


def source_free_terms(logits: Tensor, labels: Tensor | None, weight: float) -> tuple[dict[str, Tensor], Tensor]:
    """Return the terms and the loss by which predictions become sure and diverse, and follow pseudo-labels.

    Parameters
    ----------
    logits
        (N, K), of target images.
    labels
        (N,) pseudo-labels; None where there are none.
    weight
        Of the cross-entropy with them: the paper's beta.
    """
    terms = {"entropy": conditional_entropy(logits), "diversity": marginal_entropy(logits)}
    loss = terms["entropy"] - terms["diversity"]
    if labels is not None:
        terms["pseudo_classification"] = cross_entropy(logits, labels)
        loss = loss + weight * terms["pseudo_classification"]
    return terms, loss

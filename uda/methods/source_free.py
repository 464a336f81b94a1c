"""What a network learns from target images alone, once it can classify: SHOT's target stage.

J. Liang, D. Hu, J. Feng, "Do We Really Need to Access the Source Data? Source Hypothesis Transfer for Unsupervised
Domain Adaptation", ICML 2020.
"""

from __future__ import annotations

import torch
from torch import Tensor

from uda.data.augmentation import to_float
from uda.data.batches import Batches
from uda.methods.base import Method, Outputs, cross_entropy
from uda.methods.centroids import centroid_labels
from uda.methods.entropy import conditional_entropy, marginal_entropy, marginal_fit

#: Images in one pass when all are read.
PIECE = 500

#: What the share of a class is at least, so that its logarithm is no infinite weight.
LEAST = 1e-3


def begins_epoch(step: int, begin: int, batches: Batches) -> bool:
    """Whether an epoch of the target images begins at a step, if one did at the step ``begin``."""
    return (step - begin) % (len(batches.target_images) // batches.batch_size) == 0


def label_images(method: Method, images: Tensor) -> Tensor:
    """Return the (M,) pseudo-labels, by centroids, of (M, C, S, S) uint8 target images as they are, not augmented."""
    return centroid_labels(*_read_all(method, images))


def predicted_shares(method: Method, images: Tensor) -> Tensor:
    """Return the (K,) mean prediction of (M, C, S, S) uint8 target images as they are, hardly below `LEAST`."""
    shares = torch.softmax(_read_all(method, images).logits.float(), 1).mean(0).clamp(min=LEAST)
    return shares / shares.sum()


@torch.no_grad()
def _read_all(method: Method, images: Tensor) -> Outputs:
    method.eval()
    pieces = [method.outputs(to_float(piece)) for piece in torch.split(images, PIECE)]
    method.train()
    return Outputs(*(torch.cat(parts) for parts in zip(*pieces, strict=True)))


def source_free_terms(
    logits: Tensor, labels: Tensor | None, weight: float, shares: Tensor | None = None
) -> tuple[dict[str, Tensor], Tensor]:
    """Return the terms and the loss by which predictions become sure and diverse, and follow pseudo-labels.

    Parameters
    ----------
    logits
        (N, K), of target images.
    labels
        (N,) pseudo-labels; None where there are none.
    weight
        Of the cross-entropy with them: the paper's beta.
    shares
        (K,), of the classes, that diverse predictions have; even ones, as in the paper, where there are none.
    """
    diversity = marginal_entropy(logits) if shares is None else marginal_fit(logits, shares)
    terms = {"entropy": conditional_entropy(logits), "diversity": diversity}
    loss = terms["entropy"] - terms["diversity"]
    if labels is not None:
        terms["pseudo_classification"] = cross_entropy(logits, labels)
        loss = loss + weight * terms["pseudo_classification"]
    return terms, loss

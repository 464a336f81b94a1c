"""A model's outputs on whole splits: the one way in which runs and ``uda eval`` compute them."""

from __future__ import annotations

import torch
from torch import Tensor

from uda.data.augmentation import to_float
from uda.methods import Method
from uda.methods.base import Outputs


def predict_outputs(method: Method, images: Tensor, batch_size: int = 500, *, source: bool = False) -> Outputs:
    """Return features and logits of a whole split: eval mode, no gradient, fp32 whatever the run's precision.

    Parameters
    ----------
    method
        The model; its mode is put back afterwards.
    images
        (N, C, S, S) uint8, on any device.
    batch_size
        Images in one pass.
    source
        Whether the images are the source's, for methods whose domains have networks of their own.

    Returns
    -------
    Outputs
        (N, F) features and (N, K) logits, float32 on the CPU.
    """
    device = next(method.parameters()).device
    training = method.training
    method.eval()
    with torch.no_grad():
        pieces = [
            method.outputs(to_float(piece.to(device)), source=source) for piece in torch.split(images, batch_size)
        ]
    method.train(training)
    features, logits = (torch.cat(parts).float().cpu() for parts in zip(*pieces, strict=True))
    return Outputs(features, logits)


def predict_logits(method: Method, images: Tensor) -> Tensor:
    """Classify a whole split of target images: the (N, K) logits of `predict_outputs`."""
    return predict_outputs(method, images).logits

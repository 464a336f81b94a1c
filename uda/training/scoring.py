"""A model's outputs on whole splits: the one way in which runs and ``uda eval`` compute them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from uda.data.batches import to_float
from uda.methods import Method


def predict_logits(method: Method, images: Tensor, batch_size: int = 500, *, source: bool = False) -> Tensor:
    """Classify a whole split, in eval mode, without gradient and in fp32 whatever the run's precision.

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
    Tensor
        (N, K) float32 logits on the CPU.
    """
    classify: Callable[[Tensor], Tensor] = method.predict_source if source else method.predict
    device = next(method.parameters()).device
    training = method.training
    method.eval()
    with torch.no_grad():
        pieces = [classify(to_float(piece.to(device))) for piece in torch.split(images, batch_size)]
    method.train(training)
    return torch.cat(pieces).float().cpu()

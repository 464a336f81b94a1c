"""A checkpoint's predictions on chosen images: what all that `uda eval` reports is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from uda.evaluation.images import Choice, ChosenImages, Side, choose_images
from uda.methods import Method
from uda.training.checkpoint import LoadedCheckpoint, load_model
from uda.training.scoring import predict_outputs

Weights = Literal["last", "pick"]


@dataclass(frozen=True)
class Classified:
    """Images and what a checkpoint takes them for.

    Attributes
    ----------
    path, weights, loaded
        The checkpoint, which of its weights, and what it says beside its tensors.
    chosen
        The images, with their labels.
    logits
        (N, K) float32.
    """

    path: Path
    weights: Weights
    loaded: LoadedCheckpoint
    chosen: ChosenImages
    logits: Tensor

    @property
    def labels(self) -> Tensor:
        """(N,) int64, the true classes."""
        return self.chosen.split.labels

    @property
    def predicted(self) -> Tensor:
        """(N,) int64, the classes of the largest logits."""
        return self.logits.argmax(1)

    @property
    def correct(self) -> Tensor:
        """(N,) bool."""
        return self.predicted == self.labels

    @property
    def probabilities(self) -> Tensor:
        """(N, K) float64, the softmax of the logits."""
        return self.logits.double().softmax(1)

    @property
    def confidence(self) -> Tensor:
        """(N,) float64, the probability of the predicted class."""
        return self.probabilities.gather(1, self.predicted[:, None]).squeeze(1)


def classify(path: Path, weights: Weights, root: Path, choice: Choice | None = None) -> Classified:
    """Classify images with a checkpoint as its run did: the same images, the same arithmetic.

    Parameters
    ----------
    path
        ``checkpoint.pt`` of a run; nothing else of the run is needed.
    weights
        Those of the last step or of the validator's pick.
    root
        The data root.
    choice
        The images; the run's target test split where it is None.

    Raises
    ------
    UserError
        For a file that is no checkpoint of ours, and as `choose_images`.
    """
    method, loaded = load_model(path, weights)
    chosen = choose_images(path, loaded, method.task, choice or Choice(), root)
    return Classified(path, weights, loaded, chosen, side_logits(method, chosen.split.images, chosen.side))


def side_logits(method: Method, images: Tensor, side: Side) -> Tensor:
    """Return the (N, K) logits of (N, C, S, S) uint8 images by the networks of a side, as most runs compute them."""
    # The memory layout of most runs: a run that chose the other one may have rounded a logit's last digits otherwise.
    laid_out = method.to(memory_format=torch.channels_last)
    return predict_outputs(laid_out, images, source=side == "source").logits

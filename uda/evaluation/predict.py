"""What a checkpoint takes image files for, of which nobody knows the class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from uda.evaluation.classify import Weights, side_logits
from uda.evaluation.images import Side
from uda.evaluation.own_images import read_fitted
from uda.evaluation.predictions import probability_columns
from uda.training.checkpoint import load_model


@dataclass(frozen=True)
class Predicted:
    """Image files and what a checkpoint takes them for.

    Attributes
    ----------
    files
        As they were given.
    class_names
        In the order of the classes.
    probabilities
        (N, K) float64, the softmax of the logits.
    """

    files: tuple[Path, ...]
    class_names: tuple[str, ...]
    probabilities: Tensor

    @property
    def predicted(self) -> list[str]:
        """The name of each file's most probable class."""
        return [self.class_names[label] for label in self.probabilities.argmax(1).tolist()]


def predict_files(path: Path, weights: Weights, files: Sequence[Path], side: Side = "target") -> Predicted:
    """Classify image files with a checkpoint; needs no data.

    Parameters
    ----------
    path, weights
        ``checkpoint.pt`` of a run, and which of its weights.
    files
        At least one; each is stretched to the model's size and converted to its channels, as images of a ``folder:``
        domain are.
    side
        Whose size, channels and networks they go through.

    Raises
    ------
    UserError
        For a file that is no checkpoint of ours, or an image that cannot be read.
    """
    method, loaded = load_model(path, weights)
    shape = method.task.source_shape if side == "source" else method.task.target_shape
    images = torch.stack([read_fitted(file, shape) for file in files])
    return Predicted(tuple(files), loaded.class_names, side_logits(method, images, side).double().softmax(1))


def file_table(predicted: Predicted) -> pd.DataFrame:
    """Return a row for each file: ``file``, ``predicted``, ``confidence``, and ``probability NAME`` for each class."""
    table = pd.DataFrame(
        {
            "file": [str(file) for file in predicted.files],
            "predicted": predicted.predicted,
            "confidence": predicted.probabilities.max(1).values.numpy(),
        }
    )
    return table.assign(**probability_columns(predicted.probabilities, predicted.class_names))


def describe_predicted(predicted: Predicted) -> str:
    """Say how many files are taken for each class, in one line."""
    names, total = predicted.predicted, len(predicted.files)
    counts = ", ".join(
        f"{name} {names.count(name):,} ({100 * names.count(name) / total:.0f} %)" for name in predicted.class_names
    )
    return f"{total:,} image{'s' if total > 1 else ''}: {counts}"

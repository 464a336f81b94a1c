"""What a checkpoint takes images for, of which nobody knows the class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd
from torch import Tensor

from uda.evaluation.classify import Weights, side_logits
from uda.evaluation.images import Side
from uda.evaluation.own_images import read_arrays, read_files
from uda.evaluation.predictions import probability_columns
from uda.methods import Method
from uda.training.checkpoint import load_model


@dataclass(frozen=True)
class Predicted:
    """Images and what a checkpoint takes them for.

    Attributes
    ----------
    named_by, names
        What each image is called by, and how: its file as it was given, or its place among the arrays, from 0.
    class_names
        In the order of the classes.
    probabilities
        (N, K) float64, the softmax of the logits.
    """

    named_by: Literal["file", "index"]
    names: Sequence[str] | Sequence[int]
    class_names: tuple[str, ...]
    probabilities: Tensor

    @property
    def predicted(self) -> list[str]:
        """The name of each image's most probable class."""
        return [self.class_names[label] for label in self.probabilities.argmax(1).tolist()]


def predict_files(path: Path, weights: Weights, files: Sequence[Path], side: Side = "target") -> Predicted:
    """Classify image files with a checkpoint; needs no data.

    Parameters
    ----------
    path, weights
        ``checkpoint.pt`` of a run, and which of its weights.
    files
        At least one; they are read as a split of a ``folder:`` domain is, so that probabilities are those of an
        evaluation on the same files.
    side
        Whose size, channels and networks they go through.

    Raises
    ------
    UserError
        For a file that is no checkpoint of ours, or an image that cannot be read.
    """
    method, loaded = load_model(path, weights)
    images, places = read_files(files, _shape(method, side))
    probabilities = side_logits(method, images, side).double().softmax(1)
    return Predicted("file", [str(file) for file in files], loaded.class_names, probabilities[places.argsort()])


def predict_arrays(path: Path, weights: Weights, name: str, side: Side = "target") -> Predicted:
    """Classify the test images of a domain ``npz:PATH``, with labels or without; parameters as of `predict_files`."""
    method, loaded = load_model(path, weights)
    images = read_arrays(name, _shape(method, side))
    probabilities = side_logits(method, images, side).double().softmax(1)
    return Predicted("index", range(len(images)), loaded.class_names, probabilities)


def predicted_table(predicted: Predicted) -> pd.DataFrame:
    """Return a row for each image.

    Returns
    -------
    DataFrame
        ``file`` or ``index``, ``predicted``, ``confidence``, and ``probability NAME`` for each class.
    """
    table = pd.DataFrame(
        {
            predicted.named_by: predicted.names,
            "predicted": predicted.predicted,
            "confidence": predicted.probabilities.max(1).values.numpy(),
        }
    )
    return table.assign(**probability_columns(predicted.probabilities, predicted.class_names))


def describe_predicted(predicted: Predicted) -> str:
    """Say how many images are taken for each class, in one line."""
    names, total = predicted.predicted, len(predicted.names)
    counts = ", ".join(
        f"{name} {names.count(name):,} ({100 * names.count(name) / total:.0f} %)" for name in predicted.class_names
    )
    return f"{total:,} image{'s' if total > 1 else ''}: {counts}"


def _shape(method: Method, side: Side) -> tuple[int, int, int]:
    return method.task.source_shape if side == "source" else method.task.target_shape

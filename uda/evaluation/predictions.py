"""Predictions as a table: one row per image, as CSV or Parquet."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from uda.atomic import write_bytes
from uda.errors import UserError
from uda.evaluation.classify import Classified

FORMATS = (".csv", ".parquet")


def check_predictions_name(path: Path) -> None:
    """Raise `UserError` for a file that cannot be written: another ending than ours, or Parquet without pyarrow."""
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"{path}: predictions are written as CSV or Parquet; give a name that ends in .csv or .parquet")
    if path.suffix.lower() == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise UserError(
            f"{path}: Parquet needs pyarrow, which is not installed: pip install -e '.[parquet]' in uda's folder, "
            "or give a name that ends in .csv"
        )


def prediction_table(classified: Classified) -> pd.DataFrame:
    """Return a row for each image, in the order of its split.

    Returns
    -------
    DataFrame
        ``index`` (place in the split, from 0), ``label`` and ``predicted`` (names of classes), ``confidence`` (the
        probability of the predicted class), ``correct``, and a column ``probability NAME`` for each class.
    """
    names = classified.chosen.split.class_names
    table = pd.DataFrame(
        {
            "index": range(len(classified.labels)),
            "label": [names[label] for label in classified.labels.tolist()],
            "predicted": [names[label] for label in classified.predicted.tolist()],
            "confidence": classified.confidence.numpy(),
            "correct": classified.correct.numpy(),
        }
    )
    return table.assign(**probability_columns(classified.probabilities, names))


def probability_columns(probabilities: Tensor, class_names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Return the columns ``probability NAME`` of (N, K) probabilities."""
    return {f"probability {name}": probabilities[:, k].numpy() for k, name in enumerate(class_names)}


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table in the format of the name's ending, whole or not at all; the folder is made where there is none."""
    check_predictions_name(path)
    content = csv_bytes(table)
    if path.suffix.lower() == ".parquet":
        try:
            content.decode()
        except UnicodeDecodeError as error:
            raise UserError(f"{path}: Parquet has names in UTF-8 alone; give a file that ends in .csv") from error
        content = table.to_parquet(index=False, engine="pyarrow")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content)


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8; a file name that is not is the bytes that it has on disk."""
    return table.to_csv(index=False, lineterminator="\n").encode(errors="surrogateescape")

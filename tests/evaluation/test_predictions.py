"""Predictions as a table, read back."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.evaluation.examples import CLASSES
from uda.errors import UserError
from uda.evaluation.classify import Classified, classify
from uda.evaluation.predictions import check_predictions_name, prediction_table, write_table

PYARROW = importlib.util.find_spec("pyarrow") is not None


@pytest.fixture(scope="module")
def classified(unit_run: Path) -> Classified:
    return classify(unit_run / "checkpoint.pt", "last", unit_run)


def check(table: pd.DataFrame, classified: Classified) -> None:
    """The table says of each image what the logits say."""
    columns = ["index", "label", "predicted", "confidence", "correct", *(f"probability {name}" for name in CLASSES)]
    assert list(table.columns) == columns
    logits = classified.logits.double().numpy()
    powers = np.exp(logits)
    shares = powers / powers.sum(axis=1, keepdims=True)
    labels = np.arange(30) % 3  # as tests.evaluation.examples writes them
    assert table["index"].tolist() == list(range(30))
    assert table["label"].tolist() == [CLASSES[k] for k in labels]
    assert table["predicted"].tolist() == [CLASSES[k] for k in logits.argmax(axis=1)]
    assert table["correct"].tolist() == (logits.argmax(axis=1) == labels).tolist()
    np.testing.assert_allclose(table["confidence"], shares.max(axis=1), rtol=1e-12)
    np.testing.assert_allclose(table[columns[5:]], shares, rtol=1e-12)


def test_csv_says_what_the_logits_say(classified: Classified, tmp_path: Path) -> None:
    path = tmp_path / "new" / "predictions.csv"
    write_table(prediction_table(classified), path)
    check(pd.read_csv(path), classified)


@pytest.mark.skipif(not PYARROW, reason="needs pyarrow")
def test_parquet_says_what_the_logits_say(classified: Classified, tmp_path: Path) -> None:
    write_table(prediction_table(classified), tmp_path / "predictions.parquet")
    check(pd.read_parquet(tmp_path / "predictions.parquet"), classified)


@pytest.mark.skipif(PYARROW, reason="needs pyarrow to be missing")
def test_parquet_without_pyarrow_names_what_to_install(classified: Classified, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"p\.parquet: Parquet needs pyarrow.* pip install -e '.\[parquet\]' in uda's"):
        write_table(prediction_table(classified), tmp_path / "p.parquet")
    assert not list(tmp_path.iterdir())


def test_other_endings_are_an_error() -> None:
    with pytest.raises(UserError, match=r"p\.xlsx: predictions are written as CSV or Parquet"):
        check_predictions_name(Path("p.xlsx"))

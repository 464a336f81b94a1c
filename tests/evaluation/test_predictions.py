"""Predictions as a table, read back."""

import errno
import importlib.util
import os
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


def test_a_name_that_is_not_utf8_is_written_as_csv_and_refused_as_parquet(
    classified: Classified, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = prediction_table(classified).assign(label=os.fsdecode(b"\xff"))
    write_table(table, tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_bytes().splitlines()[1].startswith(b"0,\xff,")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    with pytest.raises(UserError, match=r"p\.parquet: Parquet has names in UTF-8 alone"):
        write_table(table, tmp_path / "p.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]


def test_a_full_disk_leaves_what_was_there(
    classified: Classified, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "no space left")

    (tmp_path / "p.csv").write_text("before", encoding="utf-8")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"no space left: .*p\.csv"):
        write_table(prediction_table(classified), tmp_path / "p.csv")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["before"]


def test_other_endings_are_an_error() -> None:
    with pytest.raises(UserError, match=r"p\.xlsx: predictions are written as CSV or Parquet"):
        check_predictions_name(Path("p.xlsx"))

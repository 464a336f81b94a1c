import csv
from pathlib import Path

import pytest

from tests.evaluation.golden import FOLDER, TABLES

AGAIN = "python -m tests.evaluation.golden writes the expected tables again"


@pytest.mark.parametrize("name", [name for name in TABLES if not name.endswith(".csv")])
def test_tables_are_those_that_were_looked_at(name: str) -> None:
    assert TABLES[name]() == (FOLDER / name).read_text(encoding="utf-8"), AGAIN


def test_csv_has_the_numbers_that_were_looked_at(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(TABLES["table.csv"](), encoding="utf-8")
    with (tmp_path / "table.csv").open(encoding="utf-8") as ours, (FOLDER / "table.csv").open(encoding="utf-8") as file:
        found, expected = list(csv.reader(ours)), list(csv.reader(file))
    assert len(found) == len(expected), AGAIN
    for row, wanted in zip(found, expected, strict=True):
        for column, text, other in zip(expected[0], row, wanted, strict=True):
            try:
                number = float(other)
            except ValueError:
                assert text == other, AGAIN
            else:
                drawn = column in ("last_minus_best_low", "last_minus_best_high")  # by a generator that may change
                assert float(text) == pytest.approx(number, rel=1e-6, abs=0.3 if drawn else 1e-9), (column, AGAIN)

import pytest

from tests.evaluation.examples import result
from tests.evaluation.golden import write
from uda.evaluation.write import write_tables


def test_columns_are_aligned_and_the_best_marked() -> None:
    runs = [result(accuracy_last=96.0), result(method="dann", notes="odd"), result(method="mcd", accuracy_last=95.0)]
    text = write_tables(runs, "text", "none")
    head, dann, unit, mcd = (
        next(line for line in text.splitlines() if line.strip().startswith(name))
        for name in ("Method", "DANN", "UNIT", "MCD")
    )
    place = head.index("last")
    assert dann[place:].startswith("90.00 [a]")
    assert unit[place:].startswith("96.00*")
    assert mcd[place:].startswith("95.00+")
    assert "*: the best of the methods that adapt in its column; +: the second best." in text


@pytest.mark.parametrize("width", [90, 100, 120])
def test_no_line_is_wider_than_asked_for(width: int) -> None:
    assert max(map(len, write(width=width, published="main").splitlines())) <= width


def test_what_fits_has_a_column_of_references() -> None:
    assert "  Reference\n" in write(width=200)
    assert "References. " in write(width=100)

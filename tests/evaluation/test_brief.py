"""The table with one accuracy for each method and pair."""

from tests.evaluation.examples import result
from uda.evaluation.brief import lay_out_brief
from uda.evaluation.table import build_tables
from uda.evaluation.write import write_tables

RUNS = [
    *(result(method="source-only", seed=seed, accuracy_last=80.0 + seed) for seed in (1, 2, 3)),
    *(result(seed=seed, accuracy_last=90.0 + seed, accuracy_validator=70.0 + 2 * seed) for seed in (1, 2, 3)),
    result(method="dann", accuracy_last=93.24),
    *(result(seed=seed, source="svhn", target="mnist", accuracy_last=60.0 + seed) for seed in (1, 2, 3)),
    result(method="mcc", source="svhn", target="mnist", accuracy_last=55.55),
]


def test_means_to_one_decimal_and_how_many_seeds_where_that_is_unusual() -> None:
    (table,) = build_tables(RUNS)
    rows = [[entry.text for entry in row] for section in lay_out_brief(table).sections for row in section.rows]
    assert rows == [
        ["Source only", "82.0 ± 1.0", "–", "–"],
        ["DANN", "93.2 (1)", "–", "–"],
        ["UNIT", "92.0 ± 1.0", "62.0 ± 1.0", "77.0"],
        ["MCC", "–", "55.5 (1)", "–"],
    ]


def test_the_best_that_adapts_is_marked_by_the_exact_means() -> None:
    text = write_tables(RUNS, "md", arrangement="brief")
    assert "**93.2 (1)**" in text
    assert "**62.0 ± 1.0**" in text
    assert "over 3 seeds; (n): over n." in text
    assert "2,000 steps" in text


def test_the_pick_may_stand_there_instead() -> None:
    text = write_tables(RUNS, "md", headline="validator", arrangement="brief")
    (unit,) = [line for line in text.splitlines() if "UNIT" in line]
    assert "74.0 ± 2.0" in unit
    assert "at the validator's pick" in text

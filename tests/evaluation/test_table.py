import statistics
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.examples import result
from uda.errors import UserError
from uda.evaluation.runs import MissingRun, RunResult
from uda.evaluation.table import Table, build_tables, what_became_of
from uda.metrics.intervals import wilson_interval

PAIR = ("mnist", "usps")


def only_table(*runs: RunResult) -> Table:
    (table,) = build_tables(runs)
    return table


def labels(*runs: RunResult) -> list[str]:
    return [row.label for row in only_table(*runs).rows]


def test_mean_and_sample_deviation_over_seeds() -> None:
    last, pick, oracle = (95.97, 96.41, 94.02), (90.0, 91.0, 92.0), (97.0, 97.0, 97.0)
    runs = [
        result(seed=seed, accuracy_last=a, accuracy_validator=b, accuracy_oracle=c)
        for seed, (a, b, c) in enumerate(zip(last, pick, oracle, strict=True))
    ]
    cell = only_table(*runs).rows[0].cells[PAIR]
    assert cell.last.mean == pytest.approx(statistics.mean(last))
    assert cell.last.std == pytest.approx(statistics.stdev(last))
    assert cell.last.text == "95.47 ± 1.27"  # by hand: deviations .503, .943, -1.447; sum of squares 3.236; / 2; root
    assert cell.pick.text == "91.00 ± 1.00"
    assert cell.oracle.text == "97.00 ± 0.00"


def test_one_seed_has_no_deviation() -> None:
    cell = only_table(result(accuracy_last=95.974)).rows[0].cells[PAIR]
    assert cell.last.std is None
    assert cell.last.text == "95.97"


def test_each_protocol_has_a_table_of_its_own() -> None:
    tables = build_tables([result(), result(protocol="cogan-small", seed=2)])
    assert [(table.protocol, len(table.runs)) for table in tables] == [("cogan-small", 1), ("standard", 1)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"steps": 4000}, ["UNIT, 2,000 steps", "UNIT, 4,000 steps"]),
        ({"preset": "unit-2017"}, ["UNIT", "UNIT (unit-2017)"]),
        ({"precision": "bf16"}, ["UNIT, bf16", "UNIT, fp32"]),
        ({"validator": "diversity"}, ["UNIT, validator diversity", "UNIT, validator entropy"]),
        ({"n_test": 500}, ["UNIT, 500 test images", "UNIT, 2,007 test images"]),
        ({"method": "dann"}, ["DANN", "UNIT"]),
    ],
)
def test_runs_that_differ_in_more_than_the_seed_never_share_a_cell(
    change: dict[str, object], expected: list[str]
) -> None:
    table = only_table(result(seed=1), result(seed=2, **change))
    assert [row.label for row in table.rows] == expected
    assert [len(row.cells[PAIR].runs) for row in table.rows] == [1, 1]


def test_unnamed_settings_divide_rows_too() -> None:
    assert labels(result(seed=1, settings="aaa"), result(seed=2, settings="bbb")) == [
        "UNIT, settings aaa",
        "UNIT, settings bbb",
    ]
    assert labels(result(seed=1, settings="aaa"), result(seed=2, settings="")) == [
        "UNIT, settings unknown",
        "UNIT, settings aaa",
    ]
    assert labels(result(seed=1, settings="aaa"), result(seed=2, settings="aaa")) == ["UNIT"]


def test_settings_are_said_only_where_they_divide() -> None:
    runs = [result(settings="aaa"), result(settings="bbb"), result(method="dann", settings="ccc")]
    assert labels(*runs) == ["DANN", "UNIT, settings aaa", "UNIT, settings bbb"]
    steps = [result(settings="aaa"), result(settings="aaa", steps=4000), result(settings="bbb", steps=4000)]
    assert labels(*steps) == ["UNIT, 2,000 steps", "UNIT, settings aaa", "UNIT, settings bbb"]


def test_what_most_rows_share_is_said_once_and_of_the_others_only() -> None:
    table = only_table(result(), result(method="dann"), result(method="sa", preset="pixels", steps=1))
    assert [row.label for row in table.rows] == ["SA (pixels), 1 step", "DANN", "UNIT"]
    assert table.common == ("validator entropy", "fp32", "2,000 steps where they do not say otherwise")
    half = only_table(result(), result(method="dann", steps=9000))
    assert [row.label for row in half.rows] == ["DANN, 9,000 steps", "UNIT, 2,000 steps"]
    assert half.common == ("validator entropy", "fp32")


def test_two_runs_of_one_seed_that_cannot_be_told_apart_are_an_error() -> None:
    with pytest.raises(UserError, match=r"have seed 1 but different settings .* give their run folders"):
        build_tables([result(config_hash="a"), result(config_hash="b")])


def test_pairs_stand_side_by_side_and_say_what_only_they_share() -> None:
    other = result(source="svhn", target="mnist", steps=9000, n_test=10_000)
    table = only_table(other, result(), result(method="dann"))
    assert table.pairs == (PAIR, ("svhn", "mnist"))
    assert [row.label for row in table.rows] == ["DANN", "UNIT"]
    assert [set(row.cells) for row in table.rows] == [{PAIR}, {PAIR, ("svhn", "mnist")}]
    assert table.common == ("validator entropy", "fp32")
    assert table.by_pair == (
        "MNIST → USPS: 2,000 steps",
        "SVHN → MNIST: 9,000 steps",
    )


def test_what_neither_row_nor_pair_shares_stands_in_the_cell() -> None:
    svhn = {"source": "svhn", "target": "mnist"}
    table = only_table(
        result(), result(**svhn, steps=9000), result(method="dann", steps=9000), result(method="dann", **svhn)
    )
    assert [row.label for row in table.rows] == ["DANN", "UNIT"]
    facts = {(row.label, pair): cell.facts for row in table.rows for pair, cell in row.cells.items()}
    assert facts == {
        ("DANN", PAIR): ("9,000 steps",),
        ("DANN", ("svhn", "mnist")): ("2,000 steps",),
        ("UNIT", PAIR): ("2,000 steps",),
        ("UNIT", ("svhn", "mnist")): ("9,000 steps",),
    }


def test_bounds_frame_the_methods() -> None:
    methods = ["target-only", "unit", "source-only", "dann"]
    assert labels(*(result(method=method) for method in methods)) == ["Source only", "DANN", "UNIT", "Target only"]


def test_notes_of_all_seeds_are_kept_once() -> None:
    cell = only_table(result(seed=1, notes="x; y"), result(seed=2, notes="y; z")).rows[0].cells[PAIR]
    assert cell.notes == ("x", "y", "z")


def test_rows_come_by_kind_and_unknown_methods_last_of_those_that_adapt() -> None:
    methods = ["target-only", "of-tomorrow", "unit", "dann", "source-only"]
    rows = only_table(*(result(method=method) for method in methods)).rows
    assert [row.kind for row in rows] == ["source-only", "adversarial", "generative", "other", "target-only"]


def test_an_interval_is_that_of_the_mean_on_one_test_set() -> None:
    cell = only_table(result(seed=1, accuracy_last=96.0), result(seed=2, accuracy_last=98.0)).rows[0].cells[PAIR]
    assert cell.interval(cell.last) == wilson_interval(97.0, 2007)


def missing(run: RunResult, reason: str = "failed: x", **values: Any) -> MissingRun:
    names = ("method", "preset", "source", "target", "protocol", "seed", "steps", "validator", "precision", "settings")
    known = {name: getattr(run, name) for name in names} | values
    return MissingRun(Path("somewhere"), **known, config_hash="", unfinished=False, reason=reason)


def test_a_missing_run_is_put_where_its_result_would_stand() -> None:
    runs = [result(seed=1), result(seed=1, steps=4000), result(source="svhn", target="mnist")]
    lost = missing(result(seed=2, steps=4000))
    (table,) = build_tables(runs, [lost])
    assert [(row.label, dict(row.missing)) for row in table.rows] == [
        ("UNIT, 2,000 steps", {}),
        ("UNIT, 4,000 steps", {PAIR: (lost,)}),
    ]


def test_a_pair_or_method_or_protocol_of_which_nothing_is_finished_is_still_there() -> None:
    elsewhere = missing(result(source="svhn", target="mnist"))
    other_method = missing(result(method="dann"))
    other_protocol = missing(result(protocol="cogan-small"))
    small, standard = build_tables([result()], [elsewhere, other_method, other_protocol])
    assert (small.protocol, small.pairs, small.runs) == ("cogan-small", (PAIR,), ())
    assert [(row.label, set(row.cells), set(row.missing)) for row in standard.rows] == [
        ("DANN", set(), {PAIR}),
        ("UNIT", {PAIR}, {("svhn", "mnist")}),
    ]
    assert standard.pairs == (PAIR, ("svhn", "mnist"))


def test_a_missing_run_of_other_settings_gets_a_row_of_its_own() -> None:
    (table,) = build_tables([result(settings="aaa")], [missing(result(settings="bbb", seed=2))])
    assert [(len(row.cells), len(row.missing)) for row in table.rows] == [(1, 0), (0, 1)]
    (table,) = build_tables([result(settings="")], [missing(result(settings="bbb", seed=2))])
    assert [(len(row.cells), len(row.missing)) for row in table.rows] == [(1, 1)]


def test_what_became_of_runs_is_said_once_for_each_reason() -> None:
    runs = [
        missing(result(seed=seed), reason) for seed, reason in ((1, "failed: x"), (2, "failed: y"), (3, "failed: x"))
    ]
    assert what_became_of(runs) == ["seeds 1, 3: failed: x", "seed 2: failed: y"]


def test_no_runs_are_an_error() -> None:
    for runs in ([], [missing(result())]):
        with pytest.raises(UserError, match="no finished run"):
            build_tables([], runs)

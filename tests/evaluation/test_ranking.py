from tests.evaluation.examples import result
from uda.evaluation.layout import lay_out
from uda.evaluation.ranking import average, averaged_pairs, competing, rank
from uda.evaluation.table import build_tables

PAIR, OTHER = ("mnist", "usps"), ("svhn", "mnist")


def test_numbers_that_look_equal_share_a_rank() -> None:
    assert rank({0: 90.001, 1: 89.0, 2: 90.004, 3: 80.0}) == {0: "best", 2: "best", 1: "second"}


def test_what_looks_equal_depends_on_the_decimals() -> None:
    assert rank({0: 97.52, 1: 97.48, 2: 90.0}) == {0: "best", 1: "second"}
    assert rank({0: 97.52, 1: 97.48, 2: 90.0}, decimals=1) == {0: "best", 1: "best", 2: "second"}


def test_a_hundred_is_more_than_ninety_nine() -> None:
    assert rank({0: 99.5, 1: 100.0, 2: 9.0}) == {1: "best", 0: "second"}


def test_one_alone_has_no_rank_and_of_two_only_the_better_one() -> None:
    assert rank({}) == rank({4: 90.0}) == {}
    assert rank({4: 90.0, 7: 91.0}) == {7: "best"}


def test_all_equal_are_all_best() -> None:
    assert rank({0: 90.0, 1: 90.0, 2: 90.0}) == {0: "best", 1: "best", 2: "best"}


def test_bounds_do_not_compete() -> None:
    methods = ("source-only", "dann", "unit", "target-only", "of-tomorrow")
    (table,) = build_tables([result(method=method) for method in methods])
    assert [table.rows[row].label for row in competing(table, PAIR)] == ["DANN", "UNIT", "OF-TOMORROW"]


def test_an_average_needs_every_pair_and_more_than_one() -> None:
    runs = [result(accuracy_last=80.0), result(accuracy_last=91.0, source="svhn", target="mnist")]
    (one,), (two,) = build_tables(runs[:1]), build_tables([*runs, result(method="dann")])
    assert average(one, 0, "last") is None
    assert [average(two, row, "last") for row in range(2)] == [None, 85.5]


def test_a_pair_that_nothing_adapts_on_costs_nobody_the_average() -> None:
    three = [PAIR, OTHER, ("mnist", "svhn")]
    runs = [result(accuracy_last=80.0, source=s, target=t) for s, t in three[:2]]
    bound = [result(method="source-only", accuracy_last=50.0, source=s, target=t) for s, t in three]
    (table,) = build_tables([*runs, *bound])
    assert averaged_pairs(table) == tuple(pair for pair in table.pairs if pair != three[2])
    assert [average(table, row, "last") for row in range(2)] == [50.0, 80.0]
    explanation = " ".join(lay_out(table).explanation)
    assert "over all pairs but MNIST → SVHN, where nothing that adapts was run" in explanation
    (bounds,) = build_tables(bound)
    assert averaged_pairs(bounds) == tuple(bounds.pairs)

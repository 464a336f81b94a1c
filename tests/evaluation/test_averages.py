"""The best average over pairs of domains is tested against the others, and the table says what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from scipy.stats import false_discovery_control
from torch import Tensor

from tests.evaluation.examples import result
from uda.evaluation.averages import compare_averages, remark_on_average
from uda.evaluation.layout import lay_out
from uda.evaluation.runs import RunResult
from uda.evaluation.table import Table, build_tables
from uda.metrics.correctness import pack
from uda.metrics.significance import average_difference, paired_difference

PAIRS = (("mnist", "usps"), ("svhn", "mnist"))
IMAGES = 300


def right(rate: float, seed: int) -> Tensor:
    return torch.rand(IMAGES, generator=torch.Generator().manual_seed(seed)) < rate


def run(method: str, pair: int, seed: int, rate: float) -> RunResult:
    bits = right(rate, seed + 10 * pair + 100 * len(method))
    accuracy = 100 * float(bits.double().mean())
    source, target = PAIRS[pair]
    return result(
        method=method,
        source=source,
        target=target,
        seed=seed,
        n_test=IMAGES,
        accuracy_last=accuracy,
        accuracy_validator=accuracy,
        correct_last=pack(bits),
        correct_validator=pack(bits),
    )


def table_of(rates: Mapping[str, tuple[float, ...]], seeds: tuple[int, ...] = (1, 2)) -> Table:
    (table,) = build_tables(
        run(method, pair, seed, rate)
        for method, of_pairs in rates.items()
        for pair, rate in enumerate(of_pairs)
        for seed in seeds
    )
    return table


RATES = {"source-only": (0.5, 0.5), "dann": (0.6, 0.9), "mcd": (0.75, 0.8), "unit": (0.85, 0.75), "shot": (0.99,)}


def test_each_that_adapts_and_has_all_pairs_is_tested_against_the_best_average() -> None:
    table = table_of(RATES)
    labels = [row.label for row in table.rows]
    compared = compare_averages(table, "last")
    assert compared is not None
    assert labels[compared.row] == "UNIT"
    assert [labels[behind.row] for behind in compared.behind] == ["MCD", "DANN"]
    assert compared.one_seed == 0
    expected = []
    for method in ("mcd", "dann"):
        differences = []
        for pair in range(2):
            ours, theirs = (
                torch.stack([right(RATES[name][pair], seed + 10 * pair + 100 * len(name)) for seed in (1, 2)])
                for name in ("unit", method)
            )
            differences.append(paired_difference(ours, theirs))
        expected.append(average_difference(differences))
    assert [behind.difference for behind in compared.behind] == expected
    adjusted = false_discovery_control([min(1.0, 3 / 2 * difference.p) for difference in expected])
    assert [behind.adjusted for behind in compared.behind] == pytest.approx(adjusted)


@pytest.mark.parametrize(
    ("rates", "verdict"),
    [
        (RATES, "UNIT has the best, and is not significantly better than MCD ("),
        ({**RATES, "mcd": (0.6, 0.6)}, "UNIT has the best, and is not significantly better than DANN ("),
        (
            {**RATES, "mcd": (0.6, 0.6), "dann": (0.5, 0.4)},
            "UNIT has the best, and is significantly better than all others; the next is MCD (",
        ),
    ],
)
def test_the_table_says_which_is_best_and_what_is_level_with_it(
    rates: Mapping[str, tuple[float, ...]], verdict: str
) -> None:
    table = table_of(rates, seeds=(1, 2, 3))
    (remark,) = remark_on_average(table, "last")
    assert verdict in remark
    assert "adjusted by Benjamini and Hochberg's method for 2 tests" in remark
    assert "one seed" not in remark
    assert remark in lay_out(table).remarks


def test_one_seed_is_not_tested() -> None:
    compared = compare_averages(table_of(RATES, seeds=(1,)), "last")
    assert compared is not None
    assert (compared.behind, compared.one_seed) == ((), 2)
    assert remark_on_average(table_of(RATES, seeds=(1,)), "last") == [
        "Average at last: UNIT has the best, and is not tested, as the others share one seed with it on some pair."
    ]


def test_one_seed_is_what_two_methods_share_however_many_each_has() -> None:
    runs = table_of(RATES, seeds=(1, 2, 3)).runs
    (table,) = build_tables(r for r in runs if r.method != "unit" or r.seed != 2 or r.source != "svhn")
    assert "one seed" not in remark_on_average(table, "last")[0]
    kept = [r for r in runs if (r.method, r.source) != ("dann", "svhn") or r.seed != 2]
    (table,) = build_tables(r for r in kept if (r.method, r.source) != ("unit", "svhn") or r.seed != 3)
    assert {len(cell.runs) for row in table.rows for cell in row.cells.values()} == {2, 3}
    compared = compare_averages(table, "last")
    assert compared is not None
    assert ([table.rows[behind.row].label for behind in compared.behind], compared.one_seed) == (["MCD"], 1)
    assert remark_on_average(table, "last")[0].endswith(" Not tested: 1 that share one seed with it on some pair.")


def test_nothing_is_said_of_one_pair_of_one_method_or_of_unknown_images() -> None:
    assert remark_on_average(table_of({"unit": (0.9,), "dann": (0.8,)}), "last") == []
    assert remark_on_average(table_of({"unit": (0.9, 0.9), "source-only": (0.8, 0.8)}), "last") == []
    runs = [replace(each, correct_last="") for each in table_of(RATES).runs]
    (table,) = build_tables(runs)
    assert remark_on_average(table, "last") == []

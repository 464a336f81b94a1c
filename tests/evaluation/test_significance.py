from typing import Any

import pytest
import torch

from tests.evaluation.examples import result
from uda.evaluation.runs import RunResult
from uda.evaluation.significance import Comparison, Place, compare, details
from uda.evaluation.table import Table, build_tables
from uda.metrics.correctness import pack
from uda.metrics.significance import draw_images, drawn_accuracies, holm, mcnemar, paired_bootstrap, paired_difference

PAIR = ("mnist", "usps")
IMAGES = 400


def right(rate: float, seed: int) -> torch.Tensor:
    """Which images a checkpoint gets right: the same hard ones are hard for all."""
    generator = torch.Generator().manual_seed(0)
    hardness = torch.rand(IMAGES, generator=generator)
    noise = torch.rand(IMAGES, generator=torch.Generator().manual_seed(seed))
    return 0.7 * hardness + 0.3 * noise < rate


BITS = (
    {("source-only", seed): right(0.5, 10 + seed) for seed in (1, 2, 3)}
    | {("dann", seed): right(0.745, 20 + seed) for seed in (1, 2, 3)}
    | {("unit", seed): right(0.75, 30 + seed) for seed in (1, 2, 3)}
)


def run(method: str, seed: int, known: bool = True, **values: Any) -> RunResult:
    bits = BITS[method, seed]
    accuracy = 100 * float(bits.double().mean())
    packed = pack(bits) if known else ""
    fixed = {
        "method": method,
        "seed": seed,
        "n_test": IMAGES,
        "accuracy_last": accuracy,
        "accuracy_validator": accuracy,
    }
    return result(**{**fixed, "correct_last": packed, "correct_validator": packed, **values})


def table_of(*runs: RunResult) -> Table:
    (table,) = build_tables(runs)
    return table


ALL = [run(method, seed) for method, seed in BITS]


def test_each_method_is_tested_against_the_best_and_against_source_only() -> None:
    table = table_of(*ALL)
    found = compare(table)
    assert [row.label for row in table.rows] == ["Source only", "DANN", "UNIT"]
    assert found.untested == ()
    assert set(found.comparisons) == {
        *((1, PAIR, which, "best") for which in ("last", "pick")),
        *((row, PAIR, which, "source-only") for which in ("last", "pick") for row in (1, 2)),
    }


def test_numbers_are_those_of_the_tests_on_their_bits() -> None:
    found = compare(table_of(*ALL))
    bits = {
        method: torch.stack([BITS[method, seed] for seed in (1, 2, 3)]) for method in ("source-only", "dann", "unit")
    }
    pairs = [("dann", "unit"), ("dann", "source-only"), ("unit", "source-only")]
    expected = [paired_difference(bits[one], bits[other]) for one, other in pairs]
    adjusted = holm([each.p for each in (*expected, *expected)])
    places: list[Place] = [
        (1, PAIR, "last", "best"),
        (1, PAIR, "last", "source-only"),
        (2, PAIR, "last", "source-only"),
    ]
    for place, difference, p in zip(places, expected, adjusted, strict=False):
        assert found.comparisons[place] == Comparison((1, 2, 3), difference.mean, difference.p, p)
    assert [found.comparisons[place].significant for place in places] == [False, True, True]


def test_details_are_those_of_the_best() -> None:
    table = table_of(*ALL)
    found = details(table, compare(table), "last")
    ours, best = (torch.stack([BITS[method, seed] for seed in (1, 2, 3)]) for method in ("dann", "unit"))
    drawn = draw_images(IMAGES)
    interval = paired_bootstrap(drawn_accuracies(ours, drawn), drawn_accuracies(best, drawn))
    assert list(found) == [(1, PAIR, "last", "best")]
    (detail,) = found.values()
    assert detail.interval == pytest.approx(interval, abs=1e-3)
    assert detail.mcnemar == tuple(mcnemar(one, other) for one, other in zip(ours, best, strict=True))


def test_only_shared_seeds_are_compared_and_one_alone_by_mcnemar() -> None:
    runs = [run("unit", 1), run("unit", 2), run("dann", 2), run("dann", 3)]
    (comparison, _) = compare(table_of(*runs)).comparisons.values()
    assert comparison.seeds == (2,)
    assert comparison.p == mcnemar(BITS["dann", 2], BITS["unit", 2])
    assert comparison.difference == pytest.approx(runs[2].accuracy_last - runs[1].accuracy_last)


def test_what_cannot_be_compared_is_named() -> None:
    table = table_of(run("unit", 1), run("dann", 1, known=False), run("source-only", 2))
    assert [row.label for row in table.rows] == ["Source only", "DANN", "UNIT"]
    assert compare(table).comparisons == {}
    assert set(compare(table).untested) == {(1, PAIR), (2, PAIR)}  # no bits; no seed that source only has


def test_without_anything_to_compare_with_nothing_is_untested() -> None:
    found = compare(table_of(run("unit", 1, known=False)))
    assert (found.comparisons, found.untested) == ({}, ())


def test_each_accuracy_is_tested_by_its_own_bits() -> None:
    runs = [run("unit", seed) for seed in (1, 2, 3)]
    for seed in (1, 2, 3):
        picked = BITS["source-only", seed]
        accuracy = 100 * float(picked.double().mean())
        runs.append(run("dann", seed, correct_validator=pack(picked), accuracy_validator=accuracy))
    found = compare(table_of(*runs)).comparisons
    assert found[0, PAIR, "last", "best"].difference == pytest.approx(-0.33, abs=3)
    assert found[0, PAIR, "pick", "best"].difference < -20
    assert found[0, PAIR, "pick", "best"].significant

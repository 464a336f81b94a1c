from typing import Any

import pytest
import torch
from scipy.stats import false_discovery_control

from tests.evaluation.examples import result
from uda.evaluation.runs import RunResult
from uda.evaluation.significance import Comparison, Place, compare, details
from uda.evaluation.table import Table, build_tables
from uda.metrics.correctness import pack
from uda.metrics.significance import draw_images, drawn_accuracies, mcnemar, paired_bootstrap, paired_difference

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
WORSE = {("mcd", seed): right(0.6, 40 + seed) for seed in (1, 2, 3)} | {
    ("shot", seed): right(0.55, 50 + seed) for seed in (1, 2, 3)
}


def run(method: str, seed: int, known: bool = True, **values: Any) -> RunResult:
    bits = (BITS | WORSE)[method, seed]
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
    adjusted = false_discovery_control([each.p for each in (*expected, *expected)])
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


def test_a_p_against_the_best_allows_for_all_that_it_was_chosen_from() -> None:
    # One of the four that compete cannot be tested, and could still have been the best.
    table = table_of(*ALL, *(run(method, seed, known=method == "mcd") for method, seed in WORSE))
    found = compare(table)
    rows = {row.label: number for number, row in enumerate(table.rows)}
    known = BITS | WORSE
    of = {name: torch.stack([known[name, seed] for seed in (1, 2, 3)]) for name in ("mcd", "unit", "source-only")}
    against_best = found.comparisons[rows["MCD"], PAIR, "last", "best"]
    assert against_best.p == pytest.approx(4 / 2 * paired_difference(of["mcd"], of["unit"]).p)
    against_source_only = found.comparisons[rows["MCD"], PAIR, "last", "source-only"]
    assert against_source_only.p == paired_difference(of["mcd"], of["source-only"]).p


def test_only_shared_seeds_are_compared_and_one_alone_is_not_tested() -> None:
    runs = [run("unit", 1), run("unit", 2), run("dann", 2), run("dann", 3)]
    table = table_of(*runs)
    found = compare(table)
    (comparison, _) = found.comparisons.values()
    assert comparison.seeds == (2,)
    assert (comparison.p, comparison.adjusted, comparison.tested, comparison.significant) == (None, None, False, False)
    assert comparison.difference == pytest.approx(runs[2].accuracy_last - runs[1].accuracy_last)
    (detail,) = details(table, found, "last").values()
    assert detail.mcnemar == (mcnemar(BITS["dann", 2], BITS["unit", 2]),)


def test_one_seed_takes_no_part_in_the_adjustment_of_others() -> None:
    single = compare(table_of(*(run("unit", seed) for seed in (1, 2, 3)), run("dann", 1), *ALL[:3])).comparisons
    alone = compare(table_of(*(run("unit", seed) for seed in (1, 2, 3)), *ALL[:3])).comparisons
    tested = [comparison for comparison in single.values() if comparison.tested]
    assert tested == list(alone.values())
    assert len(single) == len(tested) + 4  # DANN at last and pick, against the best and against source only


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

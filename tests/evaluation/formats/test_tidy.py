import csv
import io

import pytest

from tests.evaluation.examples import result
from tests.evaluation.golden import FOUND, MNIST, USPS, write
from uda.evaluation.significance import compare
from uda.evaluation.table import build_tables
from uda.evaluation.write import write_tables
from uda.metrics.intervals import wilson_interval


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def ours(text: str, method: str, source: str) -> dict[str, str]:
    found = [x for x in lines(text) if x["section"] == "ours" and x["protocol"] == "standard"]
    (line,) = [x for x in found if (x["method"], x["source"]) == (method, source)]
    return line


def test_numbers_are_unrounded_and_have_their_interval() -> None:
    text = write_tables([result(seed=1, accuracy_last=95.0), result(seed=2, accuracy_last=97.0)], "csv")
    line = ours(text, "UNIT", "mnist")
    assert float(line["last_std"]) == pytest.approx(2**0.5)
    assert (line["n"], line["n_test"], line["protocol"], line["kind"]) == ("2", "2007", "standard", "generative")
    assert (float(line["last_low"]), float(line["last_high"])) == wilson_interval(96.0, 2007)
    assert float(line["pick_low"]) < float(line["pick_mean"]) < float(line["pick_high"])
    assert ours(write_tables([result()], "csv"), "UNIT", "mnist")["last_std"] == ""


def test_published_results_carry_their_protocol() -> None:
    published = [line for line in lines(write(form="csv")) if line["section"] == "published"]
    assert {(line["source"], line["target"]) for line in published} == {("mnist", "usps"), ("svhn", "mnist")}
    unit = next(line for line in published if line["method"] == "UNIT" and line["source"] == "svhn")
    assert (unit["published"], unit["protocol"]) == ("90.53", "svhn-extra")
    assert "another protocol" in unit["notes"]


def test_differences_are_those_of_the_tests() -> None:
    table = next(table for table in build_tables(FOUND.results, FOUND.missing) if table.protocol == "standard")
    (row,) = [number for number, row in enumerate(table.rows) if row.label == "DANN"]
    comparison = compare(table).comparisons[row, USPS, "last", "best"]
    line = ours(write(form="csv"), "DANN", USPS[0])
    assert float(line["last_minus_best"]) == comparison.difference
    assert float(line["last_p_best"]) == comparison.adjusted
    assert float(line["last_minus_best_low"]) < comparison.difference < float(line["last_minus_best_high"])
    assert len(line["last_mcnemar_best"].split()) == 3
    assert float(line["pick_p_source_only"]) < 0.05
    best = ours(write(form="csv"), "UNIT", USPS[0])
    assert best["last_minus_best"] == best["last_mcnemar_best"] == ""


def test_what_is_missing_or_broken_has_a_line_that_says_why() -> None:
    text = write(form="csv")
    failed = ours(text, "DANN", MNIST[0])
    assert (failed["n"], failed["last_mean"]) == ("0", "")
    assert failed["notes"] == "seed 1: failed: ValueError: the loss is not finite"
    assert ours(text, "UNIT", MNIST[0])["notes"].endswith("seed 2: unfinished at step 400 of 2,000")
    assert [line["notes"] for line in lines(text) if line["section"] == "broken"] == list(FOUND.broken)
    assert "nan" not in text

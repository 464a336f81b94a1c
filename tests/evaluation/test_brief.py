"""The table with one accuracy for each method and pair."""

from dataclasses import replace

from tests.evaluation.examples import result
from tests.evaluation.golden import missing
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


def test_a_protocol_whose_runs_are_not_finished_is_left_out() -> None:
    begun = replace(missing("unit", ("mnist", "usps"), 1, "unfinished"), protocol="cogan-small")
    text = write_tables(RUNS, "md", arrangement="brief", missing=[begun])
    assert text == write_tables(RUNS, "md", arrangement="brief")


def test_methods_that_look_equally_good_are_ranked_equally() -> None:
    runs = [result(method=name, accuracy_last=a) for name, a in (("dann", 97.52), ("mcd", 97.48), ("unit", 90.0))]
    text = write_tables(runs, "md", arrangement="brief")
    assert text.count("**97.5**") == 2
    assert "<u>90.0</u>" in text


def test_what_tells_cells_apart_is_a_footnote() -> None:
    runs = [
        *(result(seed=seed, notes="usps: unverified") for seed in (1, 2)),
        result(method="dann", notes="usps: unverified; not as preset: width"),
        result(source="svhn", target="mnist", steps=5000),
        result(method="mcd", source="svhn", target="mnist"),
    ]
    (table,) = build_tables(runs)
    layout = lay_out_brief(table)
    notes = dict(layout.footnotes)
    rows = [row for section in layout.sections for row in section.rows]
    marks = {row[0].text: [[notes[mark] for mark in entry.marks] for entry in row] for row in rows}
    headings = [[notes[mark] for mark in column.heading.marks] for column in layout.columns]
    assert headings[1:3] == [["usps: unverified"], []]
    assert marks["DANN"][1] == ["not as preset: width"]
    assert marks["UNIT"][1:3] == [["2,000 steps"], ["5,000 steps"]]


def test_deviations_are_said_to_be_over_the_seeds_of_those_that_have_one() -> None:
    one = [result(method=name) for name in ("dann", "mcd")]
    assert "Accuracy at the last step, of one seed each." in write_tables(one, "md", arrangement="brief")
    text = write_tables([*one, result(seed=1), result(seed=2)], "md", arrangement="brief")
    assert "mean ± sample standard deviation over 2 seeds; (n): over n." in text
    assert text.count("90.0 (1)") == 2

"""The table of what runs cost."""

from dataclasses import replace

from tests.evaluation.examples import result
from tests.evaluation.golden import missing
from uda.evaluation.cost import lay_out_cost
from uda.evaluation.table import build_tables
from uda.evaluation.write import write_tables

RUNS = [
    result(method="source-only", seed=1, seconds=10.0, steps_per_second=200.0),
    *(
        result(seed=seed, seconds=seconds, steps_per_second=2000 / seconds)
        for seed, seconds in ((1, 1000.0), (2, 5000.0), (3, 1250.0))
    ),
]


def test_medians_over_seeds_in_the_order_of_the_usual_table() -> None:
    (table,) = build_tables(RUNS)
    layout = lay_out_cost(table)
    rows = [[entry.text for entry in row] for section in layout.sections for row in section.rows]
    assert rows == [["Source only", "10", "200.0", "1"], ["UNIT", "1,250", "1.6", "3"]]
    assert [section.heading for section in layout.sections] == ["", "Generative"]


def test_a_pair_without_runs_has_a_dash_and_what_is_broken_is_said() -> None:
    runs = [*RUNS, result(method="dann", source="svhn", target="mnist", seconds=7.0)]
    text = write_tables(runs, "md", arrangement="cost", broken=["runs/x: cut off"])
    (dann,) = [line for line in text.splitlines() if "DANN" in line]
    seconds = [cell.strip() for cell in dann.split("|")[2::3]]
    assert seconds == ["–", "7", ""]
    assert "Runs/x: cut off. It is left out." in text


def test_a_protocol_whose_runs_are_not_finished_is_left_out() -> None:
    begun = replace(missing("unit", ("mnist", "usps"), 1, "unfinished"), protocol="cogan-small")
    assert write_tables(RUNS, arrangement="cost", missing=[begun]) == write_tables(RUNS, arrangement="cost")

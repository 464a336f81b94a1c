"""Our numbers beside the published ones of the same methods."""

import pytest

from tests.evaluation.examples import result
from uda.errors import UserError
from uda.evaluation.counterparts import LABELS, find_counterparts, lay_out_counterparts
from uda.evaluation.published import load_published
from uda.evaluation.table import build_tables
from uda.evaluation.write import write_tables
from uda.methods import METHODS

RUNS = [
    result(method="mcd", accuracy_last=90.0),
    result(method="dann", accuracy_last=95.0),
    result(method="dann", source="svhn", target="mnist", n_test=10_000, accuracy_last=69.85),
    result(method="dan", accuracy_last=95.0),
    result(method="unit", source="svhn", target="mnist", n_test=10_000, accuracy_last=95.0),
]


def test_every_label_is_published_and_every_method_exists() -> None:
    published = {row.method for row in load_published()}
    assert {label for labels in LABELS.values() for label in labels} <= published
    assert all(preset in METHODS[method].presets for method, preset in LABELS)


def test_only_the_same_training_images_are_compared() -> None:
    """DANN's own paper has no MNIST to USPS; UNIT's SVHN to MNIST is of SVHN extra."""
    (table,) = build_tables(RUNS)
    found = {(each.row.label, each.pair[0]): each.published.method for each in find_counterparts(table)}
    assert found == {
        ("MCD", "mnist"): "MCD",
        ("DANN", "mnist"): "DANN (as in SBADA/CUDA tables)",
        ("DANN", "svhn"): "DANN",
    }


def test_differences_in_points_the_furthest_below_first() -> None:
    (table,) = build_tables(RUNS)
    (layout,) = lay_out_counterparts([table])
    rows = {section.heading: [[entry.text for entry in row[:5]] for row in section.rows] for section in layout.sections}
    assert rows == {
        "SVHN → MNIST": [["DANN", "69.85", "1", "73.85", "−4.0"]],
        "MNIST → USPS": [
            ["MCD", "90.00", "1", "96.5 ± 0.3", "−6.5"],
            ["DANN", "95.00", "1", "91.11", "+3.9"],
        ],
    }
    marks = {row[0].text: row[3].marks for section in layout.sections for row in section.rows if row[3].marks}
    said = dict(layout.footnotes)
    assert "published as DANN (as in SBADA/CUDA tables)" in [said[mark] for mark in marks["DANN"]]
    assert not any(said[mark].startswith("published as") for mark in marks["MCD"])
    text = write_tables([result(method="mcd", target="usps-esl")], "md", arrangement="counterparts")
    assert "USPS (ESL) is another form of USPS" in text


def test_where_nothing_is_published_it_is_said() -> None:
    with pytest.raises(UserError, match="no run is of a method, pair and protocol with a published number"):
        write_tables([result(method="dan")], arrangement="counterparts")


def test_what_is_said_of_our_cells_is_a_footnote() -> None:
    notes = "usps: unverified"
    runs = [
        result(method="mcd", notes=f"{notes}; not as preset: width"),
        result(method="dan", notes=notes),
        result(method="dann", source="svhn", target="mnist"),
    ]
    (table,) = build_tables(runs)
    (layout,) = lay_out_counterparts([table])
    ours = {row[0].text: row[1].marks for section in layout.sections for row in section.rows}
    assert [dict(layout.footnotes)[mark] for mark in ours["MCD"]] == ["not as preset: width"]
    assert layout.remarks == ("MNIST → USPS: usps: unverified.",)
    assert ours["DANN"] == ()

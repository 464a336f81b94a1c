import pytest

from tests.evaluation.examples import result
from tests.evaluation.golden import write
from uda.errors import UserError
from uda.evaluation.paper import lay_out_as_paper
from uda.evaluation.parts import Layout
from uda.evaluation.table import build_tables

RUNS = [
    result(accuracy_last=96.5),
    result(source="svhn", target="mnist", accuracy_last=95.0, n_test=10_000),
    result(method="dann", source="usps-esl", target="mnist", n_test=10_000),
]


def only_layout() -> Layout:
    (layout,) = lay_out_as_paper(build_tables(RUNS))
    return layout


def test_rows_columns_and_numbers_are_the_papers() -> None:
    layout = only_layout()
    assert [column.heading.text for column in layout.columns[1:6]] == ["SA", "DANN", "DTN", "CoGAN", "UNIT"]
    printed = {section.heading: [entry.text for entry in section.rows[0][1:6]] for section in layout.sections}
    assert printed == {
        "SVHN → MNIST": ["59.32", "73.85", "84.88", "–", "90.53"],
        "MNIST → USPS": ["–", "–", "–", "95.65", "95.97"],
        "USPS (ESL) → MNIST": ["–", "–", "–", "93.15", "93.58"],
    }


def test_ours_stand_beside_with_three_numbers_and_their_count() -> None:
    layout = only_layout()
    assert [column.heading.text for column in layout.columns[6:]] == ["DANN", "UNIT"]
    usps = {row[0].text: [entry.text for entry in row[6:]] for row in layout.sections[1].rows}
    assert usps == {"last": ["–", "96.50"], "pick": ["", "89.00"], "oracle": ["", "91.00"], "n": ["", "1"]}


def test_what_was_measured_otherwise_is_footnoted() -> None:
    layout = only_layout()
    notes = dict(layout.footnotes)
    dtn, unit = (layout.sections[0].rows[0][place] for place in (3, 5))
    assert [notes[mark] for mark in unit.marks] == [
        "another protocol than ours, svhn-extra: SVHN extra (531,131 images) as source",
        "the best on the target test split during training: an oracle's number",
    ]
    assert notes[dtn.marks[-1]] == "from a list of the paper's numbers, not checked against the paper"
    assert [notes[mark] for mark in layout.sections[2].rows[0][0].marks] == [
        "USPS (ESL) is another form of USPS; published rows are of USPS, whatever its form",
        "a USPS digit as released fills its image; CoGAN's authors trained on padded ones too (protocol "
        "cogan-padded); papers do not say which they have",
    ]


def test_under_units_own_protocol_its_number_is_not_marked_as_another() -> None:
    runs = [result(protocol="unit-2017", source="svhn", target="mnist")]
    (layout,) = lay_out_as_paper(build_tables(runs))
    notes = dict(layout.footnotes)
    assert [notes[mark][:12] for mark in layout.sections[0].rows[0][5].marks] == ["the best on "]
    assert notes[layout.sections[0].rows[0][1].marks[0]].startswith("another protocol than ours, full")


def test_tables_without_its_pairs_are_named_and_alone_an_error() -> None:
    other = result(protocol="embedded", source="rendered", target="optdigits")
    (layout,) = lay_out_as_paper(build_tables([*RUNS, other]))
    assert "Protocol embedded has none of the pairs of this layout. It is left out." in layout.remarks
    with pytest.raises(UserError, match=r"no run is of a pair in UNIT's table \(SVHN → MNIST, "):
        lay_out_as_paper(build_tables([other]))


def test_every_format_can_write_it() -> None:
    for form in ("md", "latex", "html", "text"):
        assert write(form=form, arrangement="paper").count("DTN") == 2  # of two protocols

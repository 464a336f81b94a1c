from html.parser import HTMLParser

import pytest

from tests.evaluation.examples import result
from tests.evaluation.golden import write
from uda.evaluation.write import write_tables
from uda.metrics.intervals import wilson_interval

_EMPTY = {"br"}


class Reader(HTMLParser):
    """Reads the cells of each row with their attributes, and demands that every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.rows: list[list[tuple[str, dict[str, str | None]]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        if tag not in _EMPTY:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append(("", dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open) and "small" not in self.open:
            text, attributes = self.rows[-1][-1]
            self.rows[-1][-1] = text + data, attributes


@pytest.mark.parametrize("arrangement", ["methods", "paper"])
def test_rows_have_as_many_cells_as_the_head_and_nothing_is_loaded(arrangement: str) -> None:
    text = write(form="html", arrangement=arrangement)
    assert text.isascii()
    for fragment in text.split("</figure>")[:-1]:
        reader = Reader(fragment + "</figure>")
        assert not reader.names & {"script", "style", "link", "img", "iframe", "a"}
        head = sum(int(attributes.get("colspan") or 1) for _, attributes in reader.rows[0])
        for row in reader.rows[2:]:
            assert sum(int(attributes.get("colspan") or 1) for _, attributes in row) == head


def test_numbers_carry_what_they_are_sorted_by_and_their_interval() -> None:
    runs = [result(seed=1, accuracy_last=95.5), result(seed=2, accuracy_last=96.5), result(method="<dann>")]
    text = write_tables(runs, "html", "main")
    rows = {row[0][0]: row for row in reversed(Reader(text).rows) if row}
    mean = rows["UNIT"][2]
    assert mean[0] == "96.00 ± 0.71"
    low, high = wilson_interval(96.0, 2007)
    assert mean[1] == {"class": "best", "data-value": "96", "data-low": f"{low:.6g}", "data-high": f"{high:.6g}"}
    assert "<b>96.00 &#177; 0.71</b><br><small" in text
    assert ">95.1&#8211;96.8</small>" in text
    assert rows["CyCADA"][2] == ("95.6 ± 0.2", {"data-value": "95.6"})
    assert rows["CyCADA"][-1][1] == {"class": "words"}
    assert "<DANN>" in rows


def test_a_dash_has_no_value() -> None:
    runs = [result(), result(source="svhn", target="mnist", method="dann")]
    rows = {row[0][0]: row for row in Reader(write_tables(runs, "html", "none")).rows if row}
    assert rows["DANN"][2] == ("–", {"class": "none"})


def test_kinds_are_bodies_of_their_own() -> None:
    text = write(form="html")
    kinds = ["source-only", "adversarial", "generative", "other", "target-only", "published"]
    places = [text.index(f'<tbody data-kind="{kind}">') for kind in kinds]
    assert places == sorted(places)
    assert '<tr class="heading"><th scope="rowgroup" colspan="11">Adversarial</th></tr>' in text

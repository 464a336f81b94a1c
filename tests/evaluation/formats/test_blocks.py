from uda.evaluation.formats.blocks import column_widths, divide, divide_rows
from uda.evaluation.parts import Column, Entry, Layout, Section


def show(entry: Entry) -> str:
    return entry.text


def row(name: str, *texts: str) -> tuple[Entry, ...]:
    return tuple(Entry(text) for text in (name, *texts))


COLUMNS = (
    Column(Entry("Method"), wordy=True),
    Column(Entry("first", marks=("a",)), ("x", "y")),
    Column(Entry("a long heading"), ("x", "y")),
    Column(Entry("third"), ("x",)),
    Column(Entry("Reference"), wordy=True),
)
LAYOUT = Layout(
    title="t",
    explanation=("e",),
    columns=COLUMNS,
    sections=(
        Section("", (row("ours", "10", "11", "–", "", "14", ""),), "generative"),
        Section(
            "Published",
            (
                row("one", "–", "", "22", "", "–", "R1"),
                (Entry("two"), Entry("30", marks=("b",)), *row("", "–", "", "34", "R2")),
            ),
            "published",
        ),
    ),
    footnotes=(("a", "of a heading"), ("b", "of an entry")),
    remarks=("remark",),
)


def texts(layout: Layout) -> list[list[str]]:
    return [[entry.text for entry in row] for section in layout.sections for row in section.rows]


def test_widths_are_those_of_the_widest_and_of_headings_over_groups() -> None:
    assert column_widths(LAYOUT, show) == [6, 2, 2, 2, 10, 5, 9]


def test_what_fits_stays_whole() -> None:
    assert divide(LAYOUT, 48, show) == [LAYOUT]
    assert len(divide(LAYOUT, 47, show)) == 1
    assert divide(LAYOUT, 47, show)[0].references == ("References. one: R1; two: R2.",)
    assert len(divide(LAYOUT, 36, show)) == 2


def test_blocks_repeat_the_first_column_and_tell_only_what_they_have() -> None:
    first, second, third = divide(LAYOUT, 20, show)
    assert texts(first) == [["ours", "10", "11"], ["two", "30", ""]]
    assert texts(second) == [["ours", "–", ""], ["one", "22", ""]]
    assert texts(third) == [["ours", "14"], ["two", "34"]]
    assert [block.footnotes for block in (first, second, third)] == [LAYOUT.footnotes, (), ()]
    assert [block.remarks for block in (first, second, third)] == [(), (), ("remark",)]
    assert third.references == ("References. one: R1; two: R2.",)


def test_blocks_are_about_equally_wide() -> None:
    columns = (COLUMNS[0], *(Column(Entry(f"c{number}")) for number in range(5)))
    layout = Layout("t", (), columns, (Section("", (row("ours", *"12345"),)),), (), ())
    assert [len(block.columns) for block in divide(layout, 22, show)] == [4, 3]


def test_rows_are_divided_evenly_and_sections_that_are_cut_say_so() -> None:
    rows = tuple(row(f"m{number}", "1") for number in range(7))
    sections = (Section("", (row("bound", "1"),), "source-only"), Section("Kind", rows, "other"))
    footnotes = (("a", "unused"),)
    layout = Layout("t", (), (COLUMNS[0], Column(Entry("c"))), sections, footnotes, ("remark",))
    first, second = divide_rows(layout, 8)
    assert [[(s.heading, len(s.rows)) for s in part.sections] for part in (first, second)] == [
        [("", 1), ("Kind", 3)],
        [("Kind (continued)", 4)],
    ]
    assert (first.remarks, second.remarks, second.footnotes) == ((), ("remark",), ())
    assert divide_rows(layout, 9) == [layout]


def test_no_row_is_lost_at_any_limit() -> None:
    for limit in range(2, 12):
        parts = divide_rows(LAYOUT, limit)
        assert [row for part in parts for row in texts(part)] == texts(LAYOUT)

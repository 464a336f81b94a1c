from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from uda.errors import UserError
from uda.evaluation.figures.style import Mark, figure, fitted, grid_of_panels, marks, save, styled, svg, told_apart


@styled
def example() -> Figure:
    made = figure("column", 2.0)
    axis = made.subplots()
    axis.plot([1, 2, 3], [3, 1, 2], label="a")
    axis.set_xlabel("step → ρ ±")
    axis.fill_between([1, 2, 3], [2, 0, 1], [4, 2, 3], alpha=0.2)
    axis.legend()
    return made


@pytest.mark.parametrize("name", ["f.png", "f.pdf", "f.svg"])
def test_the_same_figure_is_the_same_file(tmp_path: Path, name: str) -> None:
    save(example(), tmp_path / "one" / name)
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "savefig.dpi": 50, "svg.fonttype": "none"}):
        save(example(), tmp_path / "two" / name)
    first, second = ((tmp_path / folder / name).read_bytes() for folder in ("one", "two"))
    assert first == second
    assert b"Date" not in first
    assert b"Matplotlib v" not in first


def test_drawing_leaves_the_settings_of_others_alone(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    save(example(), tmp_path / "f.pdf")
    assert dict(mpl.rcParams) == before


def test_pdf_fonts_are_embedded_as_true_type(tmp_path: Path) -> None:
    save(example(), tmp_path / "f.pdf")
    content = (tmp_path / "f.pdf").read_bytes()
    assert b"/CIDFontType2" in content
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


def test_a_column_is_as_wide_as_a_papers(tmp_path: Path) -> None:
    save(example(), tmp_path / "f.pdf")
    assert b"/MediaBox [ 0 0 244.8 144 ]" in (tmp_path / "f.pdf").read_bytes()


def test_svg_for_a_page_is_written_in_text() -> None:
    assert ">step → ρ ±</text>" in svg(example())


def test_names_that_would_be_shortened_to_one_are_told_apart() -> None:
    alike = [
        "UNIT, lambda_0 = 0.1, plain_game = true, warmup = 300",
        "UNIT, lambda_0 = 0.5, plain_game = true, warmup = 300",
    ]
    assert len({fitted(name, 36) for name in alike}) == 1
    short = told_apart(["DANN", *alike, "DANN"], 36)
    assert short[0] == short[3] == "DANN"
    assert "0.1" in short[1]
    assert "0.5" in short[2]
    middle = [f"{'a' * 30}{letter}{'b' * 30}{letter}{'c' * 30}" for letter in "xy"] + ["z"]
    assert len(set(told_apart(middle, 12))) == 3
    assert all(len(name) <= 12 for name in told_apart(middle, 12))


@pytest.mark.parametrize("name", ["f.jpg", "f", "f.eps"])
def test_other_formats_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="figures are written as PNG, PDF or SVG"):
        save(example(), tmp_path / name)


def test_methods_are_told_apart_without_colour() -> None:
    found = marks([("Source only", "source-only"), *((f"M{n}", "other") for n in range(30)), ("T", "target-only")])
    assert len({(look.marker, str(look.dashes)) for look in found.values()}) == 32
    assert found["Source only"] == Mark("#6e7781", "<", (0, (1, 1)))
    assert {look.colour for look in found.values()} > {"#0072B2", "#D55E00", "#1f2328"}


def test_panels_that_are_not_needed_are_not_there() -> None:
    made, axes = grid_of_panels(5, "page", 3, 1.5)
    assert len(axes) == len(made.axes) == 5
    assert made.get_size_inches().tolist() == [7.0, 3.0]


def test_dollar_signs_are_no_mathematics() -> None:
    made = figure_with_title("a$b_{$")
    assert "a$b_{$" in svg(made)


@styled
def figure_with_title(title: str) -> Figure:
    made = figure("column", 1.0)
    made.subplots().set_title(title)
    return made


def test_long_names_lose_their_middle() -> None:
    assert fitted("UNIT, 2,000 steps", 20) == "UNIT, 2,000 steps"
    assert fitted("UNIT, 2,000 steps, settings abc123", 20, 2) == "UNIT, 2,000 steps,\nsettings abc123"
    assert fitted("UNIT, 2,000 steps, settings abc123", 20) == "UNIT, 2,0…ngs abc123"
    long = fitted("x" * 500, 20, 2).split("\n")
    assert len(long) == 2
    assert max(map(len, long)) <= 20

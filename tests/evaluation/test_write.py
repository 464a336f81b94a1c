import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.evaluation.examples import result
from uda.evaluation.formats.latex import latex_escape
from uda.evaluation.write import Format, write_tables

RUNS = [
    result(seed=1, accuracy_last=95.0, accuracy_validator=94.0, accuracy_oracle=99.0, notes="usps: unverified"),
    result(seed=2, accuracy_last=97.0, accuracy_validator=95.0, accuracy_oracle=99.5, notes="usps: unverified"),
    result(
        method="dann", accuracy_last=90.5, accuracy_validator=96.0, accuracy_oracle=99.9, notes="usps: unverified; odd"
    ),
    result(method="source-only", accuracy_last=80.0, notes="usps: unverified"),
    result(method="target-only", accuracy_last=98.0, notes="usps: unverified"),
    result(source="svhn", target="mnist", accuracy_last=91.25, n_test=10_000),
]


def rows(markdown: str) -> dict[str, list[str]]:
    """The cells of a Markdown table by the first one."""
    lines = [line.strip("| ").split(" | ") for line in markdown.splitlines() if line.startswith("|")]
    return {cells[0]: [cell.strip() for cell in cells[1:]] for cells in lines}


def footnotes(markdown: str) -> dict[str, str]:
    return dict(re.findall(r"^- <sup>(\w+)</sup> (.*)$", markdown, flags=re.MULTILINE))


def test_markdown_has_three_labelled_numbers_per_cell() -> None:
    text = write_tables(RUNS, "md", "none")
    table = rows(text)
    pair = "MNIST → USPS<sup>a</sup>"
    assert table["Method"] == ["n", f"{pair}<br>last", f"{pair}<br>pick", f"{pair}<br>oracle"] + [
        f"SVHN → MNIST<br>{name}" for name in ("last", "pick", "oracle")
    ]
    numbers = ["**96.00 ± 1.41**", "94.50 ± 0.71", "99.25 ± 0.35", "91.25", "89.00", "91.00"]
    assert table["UNIT"] == ["2/1", *numbers]
    assert table["Source only"][:4] == ["1", "80.00", "89.00", "91.00"]
    assert table["DANN"][:4] == ["1", "90.50<sup>b</sup>", "**96.00**", "99.90"]
    assert "± sample standard deviation over n seeds" in text
    assert "Oracle: the best on the target test split" in text
    assert "MNIST → USPS: 2,007 test images; SVHN → MNIST: 10,000 test images." in text
    assert footnotes(text) == {"a": "usps: unverified", "b": "odd"}


def test_headline_chooses_the_first_column() -> None:
    text = write_tables(RUNS, "md", "none", "validator")
    assert rows(text)["UNIT"][1:4] == ["94.50 ± 0.71", "**96.00 ± 1.41**", "99.25 ± 0.35"]
    assert "Headline: pick." in text


def test_best_is_never_a_bound_and_never_an_oracle() -> None:
    bold = re.findall(r"\*\*([\d.]+)[^*]*\*\*", write_tables(RUNS, "md", "none"))
    assert bold == ["96.00", "96.00"]  # DANN's pick and UNIT's last step, though target only and the oracles are higher


def test_one_method_alone_is_not_called_best() -> None:
    assert "**9" not in write_tables(RUNS[:2], "md", "none")


def test_equal_numbers_are_equally_best() -> None:
    text = write_tables([result(accuracy_last=90.001), result(method="dann", accuracy_last=90.002)], "md", "none")
    assert text.count("**90.00**") == 2


def test_published_rows_stand_under_the_headline_with_their_reference() -> None:
    table = rows(write_tables(RUNS, "md"))
    assert table["CyCADA"] == ["", "95.6 ± 0.2", "", "", "90.4 ± 0.4", "", "", "ICML 2018 / arXiv 1711.03213"]
    assert table["SHOT (paper)"][1] == "98.0 ± 0.2"
    assert "*Published*" in table


def test_published_rows_of_another_protocol_are_marked() -> None:
    text = write_tables(RUNS, "md")
    table, notes = rows(text), footnotes(text)

    def said(cell: str) -> list[str]:
        return [notes[mark] for mark in "".join(re.findall(r"<sup>(.*)</sup>", cell)).split(",") if mark]

    assert said(table["UNIT"][1]) == []
    assert said(table["CyCADA"][1]) == []
    assert said(table["CoGAN"][1]) == ["another protocol than ours, small: 2,000 MNIST and 1,800 USPS training images"]
    (unit,) = (
        line.split(" | ") for line in text.splitlines() if "NIPS 2017 / arXiv 1703.00848" in line and "| UNIT" in line
    )
    assert said(unit[5]) == [
        "another protocol than ours, svhn-extra: SVHN extra (531,131 images) as source",
        "the best on the target test split during training: an oracle's number",
    ]
    assert "2,000 MNIST" not in " ".join(said(table["DANN (as in ADDA protocol)"][4]))


@pytest.mark.parametrize(
    ("protocol", "pair", "method", "marked"),
    [
        ("cogan-small", ("mnist", "usps"), "CoGAN", False),
        ("cogan-small", ("mnist", "usps"), "CyCADA", True),
        ("unit-2017", ("mnist", "usps"), "CyCADA", False),
        ("unit-2017", ("svhn", "mnist"), "CyCADA", True),
        ("standard-balanced", ("mnist", "usps"), "CyCADA", False),
        ("embedded", ("mnist", "usps"), "CyCADA", True),
    ],
)
def test_which_published_protocol_is_ours(protocol: str, pair: tuple[str, str], method: str, marked: bool) -> None:
    text = write_tables([result(protocol=protocol, source=pair[0], target=pair[1])], "md")
    assert ("<sup>" in rows(text)[method][1]) is marked


def test_units_own_svhn_protocol_has_no_protocol_mark() -> None:
    text = write_tables([result(protocol="unit-2017", source="svhn", target="mnist", method="dann")], "md")
    (mark,) = re.findall(r"<sup>(.*)</sup>", rows(text)["UNIT"][1])
    assert footnotes(text)[mark].startswith("the best on the target test split")


def test_all_published_rows_carry_where_they_are_from() -> None:
    text = write_tables(RUNS[:1], "md", "all")
    table, notes = rows(text), footnotes(text)
    assert notes[re.findall(r"<sup>(\w+)</sup>", table["SHOT"][1])[0]].startswith("from the authors' code")
    assert (
        notes[re.findall(r"<sup>(\w+)</sup>", table["SBADA-GAN (unofficial re-run)"][1])[0]] == "somebody else's re-run"
    )
    assert len([line for line in text.splitlines() if line.startswith("| MCD |")]) == 2  # full and small, not merged


def test_usps_in_esl_form_stands_beside_published_usps_and_says_so() -> None:
    text = write_tables([result(target="usps-esl")], "md")
    assert rows(text)["CyCADA"][1] == "95.6 ± 0.2"
    assert "USPS (ESL) is another form of USPS" in text
    assert "another form" not in write_tables([result(target="usps-esl")], "md", "none")


def test_pairs_without_published_numbers_have_no_published_rows() -> None:
    text = write_tables([result(source="rendered", target="optdigits")], "text")
    assert "Published" not in text
    assert "Reference" not in text


def test_latex_is_escaped() -> None:
    assert latex_escape(r"a_b & 5% #1 {x} $ ~ ^ \ < > | ± →") == (
        r"a\_b \& 5\% \#1 \{x\} \$ \textasciitilde{} \textasciicircum{} \textbackslash{} "
        r"\textless{} \textgreater{} \textbar{} $\pm$ $\rightarrow$"
    )
    assert latex_escape("MNIST->USPS") == r"MNIST$\rightarrow$USPS"


def test_latex_has_balanced_structure_and_equal_columns() -> None:
    text = write_tables([*RUNS, result(preset="odd_preset & 5%", seed=3)], "latex", "all")
    assert r"UNIT (odd\_preset \& 5\%)" in text
    for name in ("table*", "tabular"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 1
    plain = re.sub(r"\\[{}]", "", text)
    assert plain.count("{") == plain.count("}")
    (alignment,) = re.findall(r"\\begin\{tabular\}\{@\{\}(\w+)@\{\}\}", text)
    body = text.split(r"\toprule")[1].split(r"\bottomrule")[0]
    for line in re.findall(r"^(.*) \\\\$", body, flags=re.MULTILINE):
        spans = [int(span) - 1 for span in re.findall(r"\\multicolumn\{(\d+)\}", line)]
        assert len(re.split(r"(?<!\\)&", line)) + sum(spans) == len(alignment)
    assert r"\textbf{96.00 $\pm$ 1.41}" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles(tmp_path: Path) -> None:
    odd = result(preset=r"a_b & 5% #1 {x} $ ~ ^ \ < > |", notes="“odd” – 100 % of m²")
    (tmp_path / "table.tex").write_text(write_tables([*RUNS, odd], "latex", "all"), encoding="utf-8")
    document = r"\documentclass{article}\usepackage{booktabs,graphicx}\begin{document}\input{table.tex}\end{document}"
    (tmp_path / "main.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "main.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, said[-2000:]
    assert r"Overfull \hbox" not in said


def test_csv_is_tidy_and_unrounded() -> None:
    lines = list(csv.DictReader(io.StringIO(write_tables(RUNS, "csv"))))
    ours = [line for line in lines if line["section"] == "ours"]
    unit = next(line for line in ours if line["method"] == "UNIT" and line["source"] == "mnist")
    assert float(unit["last_std"]) == pytest.approx(2**0.5)
    assert (unit["n"], unit["n_test"], unit["protocol"]) == ("2", "2007", "standard")
    assert next(line for line in ours if line["method"] == "DANN")["last_std"] == ""
    published = [line for line in lines if line["section"] == "published"]
    assert {(line["source"], line["target"]) for line in published} == {("mnist", "usps"), ("svhn", "mnist")}
    unit = next(line for line in published if line["method"] == "UNIT" and line["source"] == "svhn")
    assert (unit["published"], unit["protocol"]) == ("90.53", "svhn-extra")
    assert "another protocol" in unit["notes"]


def test_text_columns_are_aligned() -> None:
    text = write_tables(RUNS, "text", "none")
    head, dann, unit = (next(x for x in text.splitlines() if x.startswith(name)) for name in ("Method", "DANN", "UNIT"))
    place = head.index("last")
    assert dann[place:].startswith("90.50 [b]")
    assert unit[place:].startswith("96.00 ± 1.41*")


@pytest.mark.parametrize("form", ["md", "latex", "text"])
def test_protocols_have_separate_tables_in_every_format(form: Format) -> None:
    text = write_tables([result(), result(protocol="cogan-small", seed=2)], form, "none")
    assert text.index("Protocol cogan-small:") < text.index("Protocol standard:")
    assert "±" not in re.sub(r"Mean ± sample|Mean \$\\pm\$ sample", "", text)  # nothing was merged across protocols

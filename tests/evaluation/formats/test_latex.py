import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.evaluation.examples import result
from tests.evaluation.golden import write
from tests.evaluation.test_counterparts import RUNS as COUNTERPARTS
from uda.evaluation.formats.latex import latex_escape
from uda.evaluation.runs import RunResult
from uda.evaluation.write import write_tables

ODD = result(preset=r"a_b & 5% #1 {x} $ ~ ^ \ < > |", notes="“odd” – 100 % of m²")
MANY = [
    result(method=f"method-{number:02d}", source=source, target=target, accuracy_last=50.0 + number)
    for number in range(40)
    for source, target in (("mnist", "usps"), ("usps", "mnist"), ("svhn", "mnist"), ("mnist", "svhn"))
]
TABLES = {
    "everything": lambda: write(form="latex", published="all"),
    "odd characters": lambda: write_tables([ODD, result()], "latex", "none"),
    "no subcolumn": lambda: write_tables([result()], "latex", "none"),
    "wide and tall": lambda: write_tables(MANY, "latex", "all"),
    "paper": lambda: write(form="latex", arrangement="paper"),
    "counterparts": lambda: write_tables(COUNTERPARTS, "latex", arrangement="counterparts"),
}


def test_special_characters_are_escaped() -> None:
    assert latex_escape(r"a_b & 5% #1 {x} $ ~ ^ \ < > | ± − → † …") == (
        r"a\_b \& 5\% \#1 \{x\} \$ \textasciitilde{} \textasciicircum{} \textbackslash{} "
        r"\textless{} \textgreater{} \textbar{} $\pm$ $-$ $\rightarrow$ $\dagger$ \dots{}"
    )
    assert latex_escape("MNIST->USPS") == r"MNIST$\rightarrow$USPS"


@pytest.mark.parametrize("name", TABLES)
def test_braces_environments_and_columns_are_balanced(name: str) -> None:
    text = TABLES[name]()
    opened = re.findall(r"\\(begin|end)\{([^}]+)\}", text)
    stack: list[str] = []
    for what, environment in opened:
        if what == "begin":
            stack.append(environment)
        else:
            assert stack.pop() == environment
    assert stack == []
    plain = re.sub(r"\\[\\{}]", "", text)
    assert plain.count("{") == plain.count("}")
    assert re.sub(r"\\\$", "", text).count("$") % 2 == 0
    for table in text.split(r"\begin{tabular}")[1:]:
        (alignment,) = re.findall(r"^\{@\{\}(\w+)@\{\}\}", table)
        body = table.split(r"\toprule")[1].split(r"\bottomrule")[0]
        lines = re.findall(r"^(.*) \\\\$", body, flags=re.MULTILINE)
        assert len(lines) > 2
        for line in lines:
            spans = [int(span) - 1 for span in re.findall(r"\\multicolumn\{(\d+)\}", line)]
            assert len(re.split(r"(?<!\\)&", line)) + sum(spans) == len(alignment)


def test_means_are_ranked_and_deviations_small() -> None:
    runs: list[RunResult] = [result(seed=seed, accuracy_last=90.0 + seed) for seed in (1, 3)]
    runs += [result(method="dann", accuracy_last=91.0), result(method="mcd", accuracy_last=90.0)]
    text = write_tables(runs, "latex", "none")
    assert r"\textbf{92.00}{\scriptsize\,$\pm$\,1.41}" in text
    assert r"\underline{91.00}" in text
    assert r"\quad DANN" in text


def test_the_legend_stands_below_the_first_part_even_where_the_best_stand_in_a_later_one() -> None:
    pairs = [(f"source{number}", f"target{number}") for number in range(8)]
    runs = [result(source=source, target=target) for source, target in pairs]
    runs.append(result(method="dann", source=pairs[-1][0], target=pairs[-1][1], accuracy_last=95.0))
    first, *others = write_tables(runs, "latex", "none").split(r"\end{table*}")[:-1]
    assert others
    assert r"\textbf" not in first
    assert r"\textbf" in others[-1]
    assert "Bold: the best" in first
    assert not any("Bold: the best" in part for part in others)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize("name", TABLES)
def test_it_compiles_and_fits_a_page(tmp_path: Path, name: str) -> None:
    (tmp_path / "table.tex").write_text(TABLES[name](), encoding="utf-8")
    document = r"\documentclass{article}\usepackage{booktabs,graphicx}\begin{document}\input{table.tex}\end{document}"
    (tmp_path / "main.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "main.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, said[-2000:]
    assert r"Overfull \hbox" not in said
    assert "Float too large" not in said

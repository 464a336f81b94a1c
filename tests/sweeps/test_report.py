"""What a recipe leaves in the results folder."""

from pathlib import Path

from tests.evaluation.examples import result
from uda.evaluation.runs import export
from uda.sweeps.recipe import load_recipe
from uda.sweeps.report import write_report

RECIPE = """
source = "{}"
target = "{}"
steps = 2000
[[runs]]
method = "mcd"
"""


def written(folder: Path, source: str, target: str) -> set[str]:
    path = folder / f"{source}.toml"
    path.write_text(RECIPE.format(source, target))
    recipe = load_recipe(path)
    (config,) = recipe.configs
    row = result(method="mcd", source=source, target=target, config_hash=config.hash, accuracy_last=90.0)
    export([row], folder / "runs.csv")
    return {path.name for path in write_report(recipe, folder)}


def test_published_numbers_of_the_same_methods_are_written_where_there_are_any(tmp_path: Path) -> None:
    usual = {"rendered.md", "rendered.tex", "rendered.csv", "rendered-cost.md"}
    assert written(tmp_path, "rendered", "optdigits") == usual
    assert "mnist-counterparts.md" in written(tmp_path, "mnist", "usps-esl")
    assert "96.5 ± 0.3" in (tmp_path / "mnist-counterparts.md").read_text()

"""What a recipe leaves in the results folder."""

from pathlib import Path

from tests.evaluation.examples import result
from uda.evaluation.runs import export
from uda.sweeps.recipe import Recipe, load_recipe
from uda.sweeps.report import write_report, write_together

RECIPE = """
source = "{}"
target = "{}"
protocol = "{}"
steps = 2000
[[runs]]
method = "mcd"
"""


def recipe_of(folder: Path, source: str, target: str, protocol: str = "standard") -> Recipe:
    path = folder / f"{source}{'' if protocol == 'standard' else '-other'}.toml"
    path.write_text(RECIPE.format(source, target, protocol))
    return load_recipe(path)


def written(folder: Path, source: str, target: str) -> set[str]:
    recipe = recipe_of(folder, source, target)
    (config,) = recipe.configs
    row = result(method="mcd", source=source, target=target, config_hash=config.hash, accuracy_last=90.0)
    export([row], folder / "runs.csv")
    return {path.name for path in write_report(recipe, folder)}


def test_published_numbers_of_the_same_methods_are_written_where_there_are_any(tmp_path: Path) -> None:
    usual = {"rendered.md", "rendered.tex", "rendered.csv", "rendered-cost.md"}
    assert written(tmp_path, "rendered", "optdigits") == usual
    assert "mnist-counterparts.md" in written(tmp_path, "mnist", "usps-esl")
    assert "96.5 ± 0.3" in (tmp_path / "mnist-counterparts.md").read_text()


def test_one_table_of_several_recipes_says_how_each_pair_is_made_and_which_is_not_run(tmp_path: Path) -> None:
    pairs = [("mnist", "usps-esl"), ("svhn", "mnist")]
    for pair in pairs:
        written(tmp_path, *pair)
    others = [("syndigits", "svhn"), ("svhn", "mnist", "unit-2017")]
    recipes = [recipe_of(tmp_path, *pair) for pair in (*pairs, *others)]
    paths = write_together("digits", recipes, tmp_path)
    endings = {".md", ".tex", ".csv", "-brief.md", "-cost.md", "-counterparts.md"}
    assert {path.name for path in paths} == {f"digits{ending}" for ending in endings}
    text = (tmp_path / "digits.md").read_text()
    heading = text.splitlines()[4]
    assert "MNIST → USPS" in heading
    assert "SVHN → MNIST" in heading
    states = ("USPS (ESL)", "MNIST", "SVHN, not run", "MNIST, protocol unit-2017, not run")
    for recipe, state in zip(recipes, states, strict=True):
        assert f"{state}: `uda benchmark {recipe.path} --methods NAME`" in text
    assert text.count("not run: `") == 2
    assert "uda benchmark" not in (tmp_path / "digits.csv").read_text()

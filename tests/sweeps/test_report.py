"""What a recipe leaves in the results folder."""

from pathlib import Path

import pytest
import torch

from tests.evaluation.examples import result
from uda.evaluation.runs import export, read_csv
from uda.sweeps.recipe import Recipe, load_recipe
from uda.sweeps.report import recorded, write_report, write_together, write_translations
from uda.sweeps.translations import can_translate
from uda.training.checkpoint import load_model
from uda.training.config import RunConfig
from uda.training.run import train

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


def test_a_row_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    written(tmp_path, "mnist", "usps-esl")
    table = (tmp_path / "mnist.md").read_text()
    path = tmp_path / "runs.csv"
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    assert len(read_csv(path)) == 2
    recipe = recipe_of(tmp_path, "mnist", "usps-esl")
    assert len(recorded(recipe, path)) == 1
    write_report(recipe, tmp_path)
    assert (tmp_path / "mnist.md").read_text() == table


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


TINY = """
source = '{}'
target = '{}'
steps = 2
batch_size = 8
evaluate_every = 2
settings = {{width = 2}}
[[runs]]
method = "source-only"
[[runs]]
method = "cycada"
preset = "feature"
settings = {{blocks = 1}}
[[runs]]
method = "cycada"
settings = {{blocks = 1}}
[[runs]]
method = "unit"
"""


@pytest.fixture
def tiny(tmp_path: Path, pair: tuple[str, str]) -> Recipe:
    path = tmp_path / "bars.toml"
    path.write_text(TINY.format(*pair))
    return load_recipe(path)


def make(config: RunConfig, folder: Path) -> Path:
    return train(config, folder, folder / "runs", device="cpu", quiet=True) / "checkpoint.pt"


def test_what_translates_by_its_config_does_so_by_its_networks(tiny: Recipe, tmp_path: Path) -> None:
    methods = [load_model(make(config, tmp_path))[0] for config in tiny.configs]
    draws = [method.translates(method.config) for method in methods]
    assert draws == [can_translate(config) for config in tiny.configs] == [False, False, True, True]


def test_the_first_run_that_translates_is_drawn_once(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, places = tmp_path / "bars.png", (tmp_path / "runs", tmp_path)
    source_only, _, cycada, unit = tiny.configs
    make(source_only, tmp_path)
    assert not write_translations(tiny, *places, picture, set())
    make(unit, tmp_path)
    checkpoint = make(cycada, tmp_path)
    assert write_translations(tiny, *places, picture, {cycada.hash})
    drawn = picture.read_bytes()
    checkpoint.write_bytes(b"of another version")
    assert write_translations(tiny, *places, tmp_path / "other.png", set())
    assert (tmp_path / "other.png").read_bytes() != drawn
    with monkeypatch.context() as patch:
        patch.setattr(torch, "load", lambda *_, **__: pytest.fail("a checkpoint was read"))
        assert not write_translations(tiny, *places, picture, {unit.hash})
    assert picture.read_bytes() == drawn

"""Recipes: what they resolve to, and what they refuse."""

from dataclasses import replace
from pathlib import Path

import pytest

from uda.errors import UserError
from uda.sweeps.recipe import load_recipe

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

RECIPE = """
source = "rendered"
target = "optdigits"
protocol = "embedded"
seeds = [1, 2]
steps = 30
[augmentation]
shift = 2
[settings]
width = 16
lambda_translated = 0.5
[[runs]]
method = "source-only"
[[runs]]
method = "unit"
seeds = [2]
steps = 40
[runs.settings]
width = 8
[[runs]]
method = "unit"
preset = "unit-2017"
steps = 50
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("**/*.toml")), ids=lambda path: path.stem)
def test_every_recipe_in_benchmarks_resolves(path: Path) -> None:
    recipe = load_recipe(path)
    if path.parent.name == "choices":
        assert recipe.choices
    else:
        assert "unit" in {config.method for config in recipe.configs}
    assert len({config.hash for config in recipe.configs}) == len(recipe.configs)


def test_entries_inherit_what_is_common_and_may_say_otherwise(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, RECIPE))
    source_only, unit = (
        recipe.configs[0],
        next(c for c in recipe.configs if c.preset == "default" and c.method == "unit"),
    )
    assert (source_only.steps, source_only.settings["width"], source_only.augmentation.shift) == (30, 16, 2)
    assert "lambda_translated" not in source_only.settings
    assert (unit.seed, unit.steps, unit.settings["width"], unit.settings["lambda_translated"]) == (2, 40, 8, 0.5)
    assert {config.precision for config in recipe.configs} == {"fp32"}


def test_a_preset_means_the_same_in_every_recipe(tmp_path: Path) -> None:
    paper = next(c for c in load_recipe(write(tmp_path, RECIPE)).configs if c.preset == "unit-2017")
    assert paper.settings["width"] == 96
    assert paper.augmentation.shift == 0
    assert paper.steps == 50


def test_runs_come_one_seed_after_the_other(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, RECIPE.replace("seeds = [2]\n", "")))
    assert [config.seed for config in recipe.configs] == [1, 1, 1, 2, 2, 2]


def test_selection_by_seed_and_method(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, RECIPE))
    assert [(c.method, c.seed) for c in recipe.select(seeds=[1])] == [("source-only", 1), ("unit", 1)]
    assert [c.seed for c in recipe.select(methods=["source-only"])] == [1, 2]
    assert [c.preset for c in recipe.select(methods=["unit"])] == ["default", "unit-2017", "unit-2017"]
    assert [c.preset for c in recipe.select(methods=["unit:default"])] == ["default"]
    with pytest.raises(UserError, match="did you mean 'unit:unit-2017'"):
        recipe.select(methods=["unit:unit2017"])
    with pytest.raises(UserError, match="did you mean 'unit'"):
        recipe.select(methods=["unti"])


def test_another_seed_runs_every_entry_once_outside_the_recipe(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, RECIPE))
    others = recipe.select(seeds=[7])
    entries = {(c.method, c.preset): c for c in recipe.configs}
    assert [(c.method, c.preset, c.seed) for c in others] == [(*entry, 7) for entry in entries]
    assert not {c.hash for c in others} & {c.hash for c in recipe.configs}
    assert all(replace(c, seed=entries[c.method, c.preset].seed) == entries[c.method, c.preset] for c in others)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("steps = 30", "stepps = 30", "unknown key 'stepps': did you mean 'steps'?"),
        ("shift = 2", "shfit = 2", "did you mean 'augmentation.shift'?"),
        ("lambda_translated = 0.5", "lambda_tarnslated = 0.5", "did you mean 'lambda_translated'?"),
        ("seeds = [2]", "sedes = [2]", "[[runs]] entry 2: unknown key 'sedes': did you mean 'seeds'?"),
        ("width = 8", "wdith = 8", "[[runs]] entry 2: unknown setting of unit 'wdith': did you mean 'width'?"),
        ('method = "source-only"', 'method = "source-onyl"', "entry 1: unknown method 'source-onyl'"),
        ('method = "source-only"', "seeds = [1]", "entry 1: has no 'method', which is required"),
        ('source = "rendered"', "", "has no 'source', which is required"),
        ('target = "optdigits"', 'target = "optdigit"', "did you mean 'optdigits'?"),
        ('protocol = "embedded"', 'protocol = "embeded"', "did you mean 'embedded'?"),
        ('preset = "unit-2017"', 'preset = "unit2017"', "did you mean 'unit-2017'?"),
        ('preset = "unit-2017"', "", "entry 3: has method 'unit' and preset 'default' like entry 2"),
        ("seeds = [1, 2]", "seeds = [1, 1]", "seeds must be one or more different whole numbers"),
        ("seeds = [1, 2]", "seeds = []", "seeds must be one or more different whole numbers"),
        ("seeds = [1, 2]", 'seeds = "1"', "seeds is '1': it must be a list, each of it a whole number"),
        ("steps = 30", "steps = -1", "steps is -1: it must be 1 or more"),
        ("steps = 30", 'precision = "auto"', "precision is 'auto', which differs between machines"),
        ("steps = 30", "steps = ", "not a valid TOML file"),
        ("[settings]", "settings = 3\n[other]", "unknown key 'other'"),
    ],
)
def test_a_wrong_recipe_is_refused_with_its_name(tmp_path: Path, before: str, after: str, sentence: str) -> None:
    path = write(tmp_path, RECIPE.replace(before, after, 1))
    with pytest.raises(UserError) as caught:
        load_recipe(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("steps = 30", "steps = -1"),
        ("steps = 30", 'precision = "auto"'),
        ("seeds = [1, 2]", "seeds = []"),
        ("shift = 2", 'shift = "two"'),
        ('protocol = "embedded"', 'protocol = "embeded"'),
    ],
)
def test_what_is_common_to_the_entries_is_not_told_of_one_of_them(tmp_path: Path, before: str, after: str) -> None:
    with pytest.raises(UserError) as common:
        load_recipe(write(tmp_path, RECIPE.replace(before, after, 1)))
    assert "entry" not in str(common.value)


def test_what_an_entry_has_of_its_own_is_told_of_it(tmp_path: Path) -> None:
    entry = '[[runs]]\nmethod = "source-only"\n'
    assert entry in RECIPE
    for own in ("steps = -1", "seeds = []", 'precision = "auto"'):
        with pytest.raises(UserError, match=r"\[\[runs\]\] entry 1: "):
            load_recipe(write(tmp_path, RECIPE.replace(entry, entry + own + "\n", 1)))


def test_a_common_setting_that_no_run_would_have_is_refused(tmp_path: Path) -> None:
    lone = """
        source = "rendered"
        target = "optdigits"
        protocol = "embedded"
        [settings]
        width = 64
        [[runs]]
        method = "unit"
        preset = "unit-cpu"
    """
    with pytest.raises(UserError) as caught:
        load_recipe(write(tmp_path, lone))
    assert "the common width = 64 reaches no run: preset 'unit-cpu' of unit has 32, and wins" in str(caught.value)
    other = load_recipe(write(tmp_path, lone + '\n[[runs]]\nmethod = "source-only"\n'))
    assert [config.settings["width"] for config in other.configs] == [32, 64]
    assert load_recipe(write(tmp_path, lone.replace("64", "32"))).configs[0].settings["width"] == 32


def test_a_common_augmentation_that_every_preset_replaces_is_refused(tmp_path: Path) -> None:
    lone = """
        source = "rendered"
        target = "optdigits"
        protocol = "embedded"
        augmentation = { shift = 2 }
        [[runs]]
        method = "unit"
        preset = "unit-2017"
    """
    with pytest.raises(UserError) as caught:
        load_recipe(write(tmp_path, lone))
    assert "augmentation.shift = 2 reaches no run: preset 'unit-2017' of unit has an augmentation" in str(caught.value)
    other = load_recipe(write(tmp_path, lone + '\n[[runs]]\nmethod = "source-only"\n'))
    assert [config.augmentation.shift for config in other.configs] == [0, 2]


@pytest.mark.parametrize("runs", ["runs = []", "runs = 3", "runs = [1]"])
def test_a_recipe_without_runs_is_refused(tmp_path: Path, runs: str) -> None:
    with pytest.raises(UserError, match="one or more"):
        load_recipe(write(tmp_path, f'source = "rendered"\ntarget = "optdigits"\n{runs}\n'))


def test_a_missing_recipe_and_one_of_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such recipe"):
        load_recipe(tmp_path / "none.toml")
    path = tmp_path / "bytes.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not a valid TOML file"):
        load_recipe(path)

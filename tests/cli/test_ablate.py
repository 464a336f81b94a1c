"""``uda ablate``: one thing changed after the other, each beside the entry as it is, and who keeps the classes."""

import csv
import json
import statistics
from pathlib import Path

import pytest

from tests.conftest import Uda, refused, write_recipe
from uda.evaluation.kept import measure_classes_kept
from uda.sweeps.recipe import load_recipe
from uda.training.claim import claim

ENTRIES = """
[[runs]]
method = "source-only"
[[runs]]
method = "target-only"
[[runs]]
method = "unit"
settings = {lambda_teacher = 0.0}
ablations = [
  {name = "cycle", settings = {lambda_4 = 0.1}},
  {name = "no game", settings = {lambda_0 = 0.0}},
]
"""


@pytest.fixture
def recipe(tmp_path: Path, pair: tuple[str, str]) -> Path:
    return write_recipe(tmp_path / "bars.toml", pair, ENTRIES)


def accuracies(runs: Path) -> dict[tuple[str, int], float]:
    """Return the accuracy at the last step by what was changed and seed, read by hand."""
    found = {}
    for folder in runs.glob("*-unit-*"):
        settings = json.loads((folder / "run.json").read_text())["config"]["settings"]
        changed = "cycle" if settings["lambda_4"] else "no game" if not settings["lambda_0"] else "as it is"
        result = json.loads((folder / "result.json").read_text())
        found[changed, result["seed"]] = result["accuracy_last"]
    return found


def rows(path: Path) -> list[list[str]]:
    lines = path.read_text().replace("\\_", "_").splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")][2:]


def test_each_change_beside_the_entry_as_it_is(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    results, runs = tmp_path / "results", tmp_path / "runs"
    result = uda("ablate", recipe, "--results", results)
    assert result.exit_code == 0, result.output
    found = accuracies(runs)
    assert len(found) == 6
    table = {row[0]: row for row in rows(results / "bars-ablations.md")}
    assert list(table) == ["as it is", "cycle", "no game"]
    for name, row in table.items():
        values = [found[name, seed] for seed in (1, 2)]
        assert row[2] == "2"
        assert row[3].startswith(f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}")
    assert table["cycle"][1] == "lambda_4 = 0.1"
    # by hand: Student's t with one degree of freedom has 12.706 at 0.975
    one, two = (found["cycle", seed] - found["as it is", seed] for seed in (1, 2))
    assert table["as it is"][4] == ""
    assert table["cycle"][4] == f"{(one + two) / 2:+.2f} ± {12.7062 * abs(one - two) / 2:.2f}"
    with (results / "bars-ablations-kept.csv").open() as file:
        kept = {(line["config_hash"], line["images"]): line for line in csv.DictReader(file)}
    assert len(kept) == 6 * 4
    loaded = load_recipe(recipe)
    checkpoints = {c.hash: runs / c.name / "checkpoint.pt" for a in loaded.ablations for c in a.configs}
    judges = [runs / c.name / "checkpoint.pt" for c in loaded.configs if c.seed == 1 and c.method.endswith("-only")]
    run = loaded.ablations[1].configs[1].hash
    measured = measure_classes_kept([checkpoints[run]], "last", judges[1], judges[0], tmp_path)
    there, back, *_ = measured.runs[0].readings
    assert float(kept[run, "source-target"]["kept"]) == pytest.approx(there.kept)
    assert float(kept[run, "source-target-source"]["kept"]) == pytest.approx(back.kept)
    assert table["cycle"][6].startswith(
        f"{statistics.mean(float(kept[c.hash, 'source-target']['kept']) for c in loaded.ablations[1].configs):.2f}"
    )

    assert (results / "bars-ablations.png").stat().st_size > 5000
    text = (results / "bars-ablations.md").read_text()
    again = uda("ablate", recipe, "--results", results, "--tables")
    assert again.exit_code == 0, again.output
    assert (results / "bars-ablations.md").read_text() == text
    uda("ablate", recipe, "--results", results)
    assert (results / "bars-ablations-kept.csv").read_text().count("\n") == 6 * 4 + 1


def test_a_study_that_has_only_begun_says_what_is_not_run(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    begun = ("ablate", recipe, "--results", tmp_path / "results", "--no-judge")
    result = uda(*begun, "--seeds", "2", "--only", "as it")
    assert result.exit_code == 0, result.output
    table = {row[0]: row for row in rows(tmp_path / "results/bars-ablations.md")}
    assert [row[2] for row in table.values()] == ["1", "not run", "not run"]
    assert table["as it is"][6] == "–"
    assert [path.name for path in (tmp_path / "runs").glob("*-seed*")] == [
        load_recipe(recipe).ablations[0].configs[1].name
    ]


def test_a_judge_that_another_process_trains_reads_nothing_yet(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    begun = ("ablate", recipe, "--results", tmp_path / "results", "--seeds", "1", "--only", "cycle")
    assert uda(*begun).exit_code == 0
    kept = tmp_path / "results/bars-ablations-kept.csv"
    whole = kept.read_text()
    kept.unlink()
    (judge,) = [config for config in load_recipe(recipe).configs if config.method == "target-only" and config.seed == 1]
    folder = tmp_path / "runs" / judge.name
    (folder / "result.json").unlink()
    with claim(folder):
        result = uda(*begun)
    assert result.exit_code == 0, result.output
    assert "1 runs are left to another process; give the command again" in result.stdout
    assert not kept.exists()
    assert uda(*begun).exit_code == 0
    assert kept.read_text() == whole


def test_each_run_is_told_by_what_was_changed(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    begun = ("ablate", recipe, "--results", tmp_path / "results", "--no-judge", "--seeds", "2")
    broken = tmp_path / "runs" / load_recipe(recipe).ablations[1].configs[1].name / "checkpoint.pt"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"not a checkpoint")
    result = uda(*begun)
    for number, name in enumerate(("as it is", "cycle", "no game"), start=1):
        assert f"[{number}/3] unit seed 2, {name}: 4 steps\n" in result.stdout
    assert result.stderr.startswith(f"error: unit seed 2, cycle: {broken.parent}: was begun, but has no run.json")


def test_ablations_change_no_run_of_the_recipe(recipe: Path) -> None:
    before = load_recipe(recipe)
    text = recipe.read_text()
    recipe.write_text(text[: text.index("ablations = [")])
    after = load_recipe(recipe)
    assert before.configs == after.configs
    assert [a.name for a in before.ablations] == ["as it is", "cycle", "no game"]
    assert before.ablations[0].configs == tuple(c for c in before.configs if c.method == "unit")
    assert after.ablations == ()


@pytest.mark.parametrize(
    ("old", "new", "arguments", "said"),
    [
        ("", "", ("--seeds", "3"), "--seeds 3: "),
        ("", "", ("--only", "sharing"), "they are: as it is, cycle, no game"),
        ("", "", ("--tables",), "no run of its ablations is finished yet"),
        ("", "", ("--tables", "--only", "cycle"), "writes that of all runs: leave --seeds and --only out"),
        ('method = "target-only"', 'method = "dann"', (), "judges translated images; add one, or give --no-judge"),
        ("ablations", "choices", (), "entry 3: "),
        ('name = "cycle", ', "", (), "entry 3: ablations must be a list of"),
        ("lambda_4", "lambda_9", (), "ablation 'cycle': unknown setting of unit 'lambda_9'"),
        ('"no game"', '"cycle"', (), "two of its ablations are the same run, or have the same name"),
        ("lambda_4 = 0.1", "lambda_0 = 0.0", (), "two of its ablations are the same run, or have the same name"),
        ('method = "target-only"', 'method = "dann"\nablations = [{name = "a", settings = {}}]', (), "entry 2: two of"),
        (
            'method = "target-only"',
            'method = "dann"\nablations = [{name = "a", settings = {width = 3}}]',
            (),
            "entry 3: has ablations like an entry before it",
        ),
    ],
)
def test_what_is_refused(uda: Uda, recipe: Path, old: str, new: str, arguments: tuple[object, ...], said: str) -> None:
    recipe.write_text(recipe.read_text().replace(old, new) if old else recipe.read_text())
    assert said in refused(uda("ablate", recipe, *arguments))


def test_a_recipe_without_ablations_is_refused(uda: Uda, recipe: Path) -> None:
    text = recipe.read_text()
    recipe.write_text(text[: text.index("ablations = [")])
    assert "no entry of it has ablations" in refused(uda("ablate", recipe))


def test_what_does_not_translate_is_not_judged(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    text = recipe.read_text()
    text = text[: text.index("ablations = [")].replace('"unit"', '"dann"').replace("lambda_teacher = 0.0", "")
    recipe.write_text(text + 'ablations = [{name = "wide", settings = {width = 3}}]')
    result = uda("ablate", recipe, "--results", tmp_path / "results", "--seeds", "1")
    assert result.exit_code == 0, result.output
    table = rows(tmp_path / "results/bars-ablations.md")
    assert [row[2] for row in table] == ["1", "1"]
    assert [row[6] for row in table] == ["–", "–"]


def test_what_only_translates_is_judged_and_drawn_after_the_table(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    text = recipe.read_text()
    text = (
        text[: text.index("ablations = [")].replace('"unit"', '"cycada"').replace("lambda_teacher = 0.0", "blocks = 1")
    )
    changes = '{name = "more", settings = {blocks = 2}}, {name = "no pixels", settings = {pixel_share = 0.0}}'
    recipe.write_text(f"{text}ablations = [{changes}]")
    result = uda("ablate", recipe, "--results", tmp_path / "results", "--seeds", "1")
    assert result.exit_code == 0, result.output
    table, picture = (tmp_path / "results" / f"bars-ablations.{ending}" for ending in ("md", "png"))
    assert result.stdout.endswith(f"wrote {table}\nwrote {picture}\n")
    assert picture.stat().st_size > 3000
    assert [row[6] == "–" for row in rows(table)] == [False, False, True]


def test_a_checkpoint_that_cannot_be_read_keeps_the_table(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    begun = ("ablate", recipe, "--results", tmp_path / "results", "--seeds", "1", "--only", "cycle")
    assert uda(*begun, "--no-judge").exit_code == 0
    (checkpoint,) = (tmp_path / "runs").glob("*-unit-*/checkpoint.pt")
    checkpoint.write_bytes(b"of another kind")
    result = uda(*begun)
    assert result.exit_code == 2
    assert "truncated or not a checkpoint" in result.stderr
    assert [row[2] for row in rows(tmp_path / "results/bars-ablations.md")] == ["not run", "1", "not run"]

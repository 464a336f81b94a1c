"""``uda choose``: tries settings on a seed of their own, ranks them without target labels, changes nothing else."""

import json
import statistics
from pathlib import Path

import pytest

from tests.conftest import Uda, refused, write_recipe
from uda.sweeps.recipe import load_recipe

ENTRIES = """
[[runs]]
method = "source-only"
[[runs]]
method = "dann"
settings = {learning_rate = 2e-3}
choices = [{learning_rate = 1e-5}, {learning_rate = 2e-3}, {learning_rate = 1e-2, width = 3}]
[[runs]]
method = "unit"
choices = [{learning_rate = 1e-5}]
"""


@pytest.fixture
def recipe(tmp_path: Path, pair: tuple[str, str]) -> Path:
    return write_recipe(tmp_path / "bars.toml", pair, ENTRIES)


def last_scores(runs: Path, validator: str = "information-maximization") -> dict[tuple[str, float], float]:
    """Return a validator's score at the last step by method and learning rate, read by hand."""
    found = {}
    for folder in runs.glob("*-seed*"):
        config = json.loads((folder / "run.json").read_text())["config"]
        line = json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
        assert line["step"] == 4
        key = (config["method"], config["settings"]["learning_rate"])
        found[key] = line["validators"][validator]
    return found


def test_ranks_within_each_method_and_marks_what_is_taken(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    result = uda("choose", recipe, "--results", tmp_path / "results")
    assert result.exit_code == 0, result.output
    scores = last_scores(tmp_path / "runs" / "choices")
    assert len(scores) == 5
    text = (tmp_path / "results/bars-choices.md").read_text().replace("\\_", "_")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    dann, unit = rows[2:5], rows[5:7]
    by_score = sorted((rate for method, rate in scores if method == "dann"), key=lambda rate: -scores["dann", rate])
    assert [float(row[1].split(",")[0].split(" = ")[1]) for row in dann] == by_score
    assert [row[2].strip("*") for row in dann] == [f"{scores['dann', rate]:.4f}" for rate in by_score]
    assert [row[0] for row in dann] == ["DANN 1", "DANN 2", "DANN 3"]
    assert [row[-1] for row in dann] == ["taken" if rate == 2e-3 else "" for rate in by_score]
    assert {row[1]: row[-1] for row in unit} == {"none of its own": "taken", "learning_rate = 1e-05": ""}


def test_tables_of_the_runs_do_not_count_trials(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    assert uda("choose", recipe, "--results", tmp_path / "results", "--methods", "dann").exit_code == 0
    runs = tmp_path / "runs"
    assert "no run folder in it, nor one or two levels below" in refused(uda("table", runs))
    kept = next((runs / "choices").glob("*-dann-*"))
    kept.rename(runs / kept.name)
    listed = [uda("runs", "list", each).stdout.splitlines() for each in (runs, runs / "choices")]
    assert [sum("dann" in line for line in lines) for lines in listed] == [1, 2]


def test_other_validators_stand_beside_the_one_that_ranks(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    result = uda("choose", recipe, "--results", tmp_path / "results", "--methods", "dann", "--validator", "mmd")
    assert result.exit_code == 0, result.output
    text = (tmp_path / "results/bars-choices.md").read_text().replace("\\_", "_")
    head, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line[:2] == "| ")
    validators = ["mmd", "consistency", "class-cluster", "corr-c", "information-maximization", "bnm"]
    assert head == ["Method", "Settings", *validators, "Taken"]
    for column, validator in enumerate(validators, start=2):
        scores = {
            f"{rate}": score for (_, rate), score in last_scores(tmp_path / "runs" / "choices", validator).items()
        }
        found = {row[1].split(",")[0].split(" = ")[1]: row[column] for row in rows if row[0].startswith("DANN")}
        best = max(scores.values())
        assert {rate: text.strip("*") for rate, text in found.items()} == {
            rate: f"{score:.4f}" for rate, score in scores.items()
        }
        assert {rate for rate, text in found.items() if text.startswith("**")} == {
            rate for rate, score in scores.items() if score == best
        }


def test_shows_no_accuracy_and_adds_no_result(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    result = uda("choose", recipe, "--results", tmp_path / "results", "--methods", "unit")
    assert result.exit_code == 0, result.output
    assert "%" not in result.output
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["bars-choices.md"]
    assert result.stdout.count("not run") == 3  # DANN's


def test_settings_to_choose_from_change_no_run_of_the_recipe(recipe: Path) -> None:
    before = load_recipe(recipe)
    recipe.write_text("\n".join(line for line in recipe.read_text().splitlines() if not line.startswith("choices")))
    after = load_recipe(recipe)
    assert before.configs == after.configs
    assert [len(choice.tried) for choice in before.choices] == [3, 2]
    assert after.choices == ()


def test_another_validator_ranks_the_same_runs_again(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    arguments = ("choose", recipe, "--results", tmp_path / "results", "--methods", "dann")
    uda(*arguments)
    again = uda(*arguments, "--validator", "mmd")
    assert "dann seed 0, learning_rate = 0.002: done before" in again.output
    assert "Ranked by mmd;" in " ".join(again.output.split())
    best = max(
        score for (method, _), score in last_scores(tmp_path / "runs" / "choices", "mmd").items() if method == "dann"
    )
    text = (tmp_path / "results/bars-choices.md").read_text()
    assert f"**{best:.4f}**" in text


def test_of_several_seeds_the_mean_ranks(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    def rows(seeds: str) -> dict[str, str]:
        arguments = ("choose", recipe, "--results", tmp_path / "results", "--methods", "dann", "--seeds", seeds)
        assert uda(*arguments).exit_code == 0
        text = (tmp_path / "results/bars-choices.md").read_text().replace("\\_", "_")
        cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "| DANN" in line]
        return {cell[1]: cell[2].strip("*") for cell in cells}

    alone = [{settings: float(score) for settings, score in rows(seed).items()} for seed in ("0", "4")]
    together = rows("0,4")
    assert len(together) == 3
    for settings, text in together.items():
        values = [scores[settings] for scores in alone]
        mean, deviation = (float(part) for part in text.split(" ± "))
        assert mean == pytest.approx(statistics.fmean(values), abs=1e-4)
        assert deviation == pytest.approx(statistics.stdev(values), abs=1e-4)
    means = [float(text.split()[0]) for text in together.values()]
    assert means == sorted(means, reverse=True)
    said = " ".join((tmp_path / "results/bars-choices.md").read_text().split())
    assert "tried on seeds 0 and 4, which are not reported;" in said
    assert "at the last step, mean ± sample standard deviation over seeds, larger is better" in said


def test_a_validator_that_a_finished_trial_was_not_scored_by_is_refused(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    arguments = ("choose", recipe, "--results", tmp_path / "results", "--methods", "dann")
    uda(*arguments)
    history = next((tmp_path / "runs" / "choices").glob("*-dann-*")) / "metrics.jsonl"
    history.write_text(history.read_text().replace('"mmd"', '"mmd2"'))
    result = uda(*arguments, "--validator", "mmd")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: unknown validator in {history.parent} 'mmd': did you mean 'mmd2'?")


@pytest.mark.parametrize(
    ("old", "new", "arguments", "said"),
    [
        ("", "", ("--seed", 2), "seed 2 is one of those it reports"),
        ("", "", ("--seeds", "0,1"), "seed 1 is one of those it reports"),
        ("", "", ("--seeds", ""), "names no seed"),
        ("", "", ("--methods", "source-only"), "nothing to choose for source-only; for dann, unit"),
        ("", "", ("--validator", "mdd"), "did you mean 'mmd'?"),
        ("choices", "#", (), "no entry of the recipe has choices"),
        ("[{learning_rate = 1e-5}]", "3", (), "entry 3: choices must be a list of tables"),
        ("[{learning_rate = 1e-5}]", "[{rate = 1}]", (), "entry 3: unknown setting of unit 'rate'"),
        ("[{learning_rate = 1e-5}]", "[{width = 2}, {width = 2}]", (), "two of its choices are the same run"),
    ],
)
def test_what_is_refused(uda: Uda, recipe: Path, old: str, new: str, arguments: tuple[object, ...], said: str) -> None:
    recipe.write_text(recipe.read_text().replace(old, new) if old else recipe.read_text())
    assert said in refused(uda("choose", recipe, *arguments))


def test_methods_that_train_on_the_score_are_named(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    recipe.write_text(recipe.read_text() + '[[runs]]\nmethod = "bnm"\nchoices = [{ lambda_bnm = 2.0 }]\n')
    arguments = ("choose", recipe, "--results", tmp_path / "results", "--methods", "bnm,unit")
    assert "Rank those by another" not in uda(*arguments, "--validator", "consistency").output
    for validator in ("information-maximization", "bnm"):
        named = f"Trained on {validator}, some of what was tried: BNM. Rank those by another --validator."
        assert named in " ".join(uda(*arguments, "--validator", validator).output.split())


def test_settings_that_collapse_are_ranked_below_the_others(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    arguments = ("choose", recipe, "--results", tmp_path / "results", "--methods", "unit")
    assert " collapsed" not in uda(*arguments).output
    scores = last_scores(tmp_path / "runs" / "choices", "diversity")
    for folder in (tmp_path / "runs" / "choices").glob("*-unit-*"):
        rate = json.loads((folder / "run.json").read_text())["config"]["settings"]["learning_rate"]
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        fallen = rate == 1e-5
        for line in lines:
            liked = {"diversity": 0.0, "information-maximization": 9.0}
            line["validators"] |= liked if fallen else dict.fromkeys(liked, 1.0)
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert len(scores) == 2
    assert uda(*arguments).exit_code == 0
    text = (tmp_path / "results/bars-choices.md").read_text().replace("\\_", "_")
    first, second = ([cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "| UNIT" in line)
    assert (first[1], first[2], first[-1]) == ("none of its own", "**1.0000**", "taken")
    assert (second[1], second[2], second[-1]) == ("learning_rate = 1e-05", "9.0000", "collapsed")


def test_what_the_entry_has_beside_is_told_of_each_choice(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    recipe.write_text(recipe.read_text().replace("{learning_rate = 1e-2, width = 3}", "{width = 3}"))
    assert uda("choose", recipe, "--results", tmp_path / "results", "--methods", "dann").exit_code == 0
    text = (tmp_path / "results/bars-choices.md").read_text().replace("\\_", "_")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "| DANN" in line]
    assert sorted(row[1] for row in rows) == [
        "learning_rate = 0.002",
        "learning_rate = 0.002, width = 3",
        "learning_rate = 1e-05",
    ]
    widths = {
        json.loads(path.read_text())["config"]["settings"]["width"] for path in tmp_path.glob("runs/choices/*/run.json")
    }
    assert 3 in widths

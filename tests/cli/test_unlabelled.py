"""A target without any label, from the command line: trained, compared by validators, verified, predicted."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Uda, refused, write_recipe
from tests.training.test_run import config_of
from tests.training.test_unlabelled import forget_labels
from uda.evaluation.runs import read_csv
from uda.training.run import train


def forget_training_labels(npz: Path) -> None:
    """Leave the labels of the test images alone, with the names of all classes."""
    with np.load(npz) as file:
        arrays = {name: file[name] for name in file if name != "train_labels"}
    np.savez(npz, **arrays)


@pytest.fixture
def target(pair: tuple[str, str]) -> Path:
    path = Path(pair[1].removeprefix("npz:"))
    forget_labels(path)
    return path


@pytest.fixture
def folder(target: Path, pair: tuple[str, str], tmp_path: Path) -> Path:
    return train(config_of("unit", pair), tmp_path, tmp_path / "runs", quiet=True)


@pytest.fixture
def recipe(target: Path, pair: tuple[str, str], tmp_path: Path) -> Path:
    entries = "\n".join(f"[[runs]]\nmethod = '{method}'" for method in ("source-only", "im", "dann"))
    return write_recipe(tmp_path / "mine.toml", pair, entries)


def test_benchmark_shows_scores_and_writes_no_accuracy(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    first = uda("benchmark", recipe, "--results", results, "--methods", "dann", "--jobs", 1)
    assert first.exit_code == 0, first.output
    assert "[1/2] dann seed 1: done in" in first.output
    made = uda("benchmark", recipe, "--results", results, "--methods", "im", "--jobs", 1)
    assert "no accuracy, as no target test image has a label" in made.output
    assert "DANN" not in made.output
    text = (results / "mine-scores.md").read_text()
    assert "DANN" in text
    assert "IM" in text
    assert {path.name for path in results.iterdir()} == {"mine-scores.md"}
    (results / "mine-scores.md").unlink()
    again = uda("benchmark", recipe, "--results", results, "--tables")
    assert again.output == f"wrote {results / 'mine-scores.md'}\n"
    assert (results / "mine-scores.md").read_text() == text
    shown = uda("table", tmp_path / "runs", "--format", "md")
    assert [line for line in shown.stdout.splitlines() if "DANN" in line] == [
        line for line in text.splitlines() if "DANN" in line
    ]


@pytest.fixture
def with_ceiling(recipe: Path) -> Path:
    recipe.write_text(recipe.read_text() + '[[runs]]\nmethod = "target-only"\n')
    return recipe


def test_a_ceiling_without_labels_is_left_out_and_stops_no_other(
    uda: Uda, with_ceiling: Path, pair: tuple[str, str], tmp_path: Path
) -> None:
    said = f"left out: target-only, which learns from labels, and no training image of {pair[1]} has one\n"
    how = ("benchmark", with_ceiling, "--results", tmp_path / "results", "--seeds", 1)
    planned = uda(*how, "--dry-run")
    assert (planned.exit_code, planned.stderr, "target-only" in planned.stdout) == (0, said, False)
    made = uda(*how, "--jobs", 1)
    assert (made.exit_code, made.stderr) == (0, said)
    assert "Source only" in made.stdout
    assert "target-only" not in made.stdout
    alone = refused(uda(*how, "--methods", "target-only"))
    assert alone == f"{with_ceiling}: there is nothing to run but {said[10:-1]}; run another method"


def test_a_ceiling_of_labelled_test_images_alone_is_left_out(uda: Uda, pair: tuple[str, str], tmp_path: Path) -> None:
    forget_training_labels(Path(pair[1].removeprefix("npz:")))
    entries = "[[runs]]\nmethod = 'source-only'\n[[runs]]\nmethod = 'target-only'\n"
    recipe = write_recipe(tmp_path / "some.toml", pair, entries)
    made = uda("benchmark", recipe, "--results", tmp_path / "results", "--seeds", 1, "--jobs", 1)
    assert (made.exit_code, made.stderr.count("left out: target-only")) == (0, 1), made.output
    assert {row.method for row in read_csv(tmp_path / "results" / "runs.csv")} == {"source-only"}


def test_a_ceiling_that_is_finished_stays(uda: Uda, pair: tuple[str, str], tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "some.toml", pair, "[[runs]]\nmethod = 'target-only'\n")
    how = ("benchmark", recipe, "--results", tmp_path / "results", "--seeds", 1, "--jobs", 1)
    assert uda(*how).exit_code == 0
    forget_training_labels(Path(pair[1].removeprefix("npz:")))
    again = uda(*how)
    assert (again.exit_code, again.stderr, "% before" in again.stdout) == (0, "", True)


def test_a_ceiling_alone_says_what_it_lacks(uda: Uda, target: Path, pair: tuple[str, str]) -> None:
    made = uda("train", "--source", pair[0], "--target", pair[1], "--method", "target-only", "--steps", 4)
    assert "train has no labels, which the supervised ceiling" in refused(made)


def test_where_there_is_no_run_yet_is_said_of_both_places(uda: Uda, recipe: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(recipe.read_text())
    how = ("benchmark", recipe, other, "--results", tmp_path / "results", "--together", "all")
    nowhere = tmp_path / "nowhere"
    lines = uda(*how, "--tables", "--runs", nowhere).stdout.splitlines()
    yet = f"no finished run of the recipe's own seeds in runs.csv or {nowhere} yet"
    assert lines == [f"{name}: {yet}" for name in ("mine", "other", "all")]
    made = uda(*how, "--methods", "im", "--seeds", 1, "--jobs", 1)
    assert made.exit_code == 0, made.output
    assert made.stdout.endswith(
        "all: no finished run of these recipes has an accuracy, which tables of several recipes show\n"
    )


def test_runs_with_and_without_are_shown_each_by_what_they_have(
    uda: Uda, folder: Path, pair: tuple[str, str], tmp_path: Path
) -> None:
    known = train(config_of("unit", pair[:1] * 2), tmp_path, tmp_path / "runs", quiet=True)
    shown = uda("table", tmp_path / "runs")
    assert "accuracy on the target test split, percent" in shown.output
    assert "no accuracy, as no target test image has a label" in shown.output
    listed = uda("runs", "list", tmp_path / "runs").stdout.splitlines()
    assert [line.split()[-4:-1] == ["–"] * 3 for line in listed[1:]] == [
        name == folder.name for name in sorted((known.name, folder.name))
    ]
    scores = uda("table", tmp_path / "runs", "--layout", "scores")
    assert (scores.output.count("label-free scores\n"), scores.output.count("no accuracy, as")) == (1, 1)
    twice = uda("table", tmp_path / "runs", "--layout", "scores", "--validator", "bnm")
    assert refused(twice).startswith("--validator bnm: --layout scores has validators beside each other")
    one = uda("table", tmp_path / "runs", "--format", "csv")
    assert (one.exit_code, one.stdout.count("npz:")) == (0, 2)
    assert "left out: 1 run without an accuracy" in one.stderr
    exported = uda("runs", "export", tmp_path / "runs", "-o", tmp_path / "runs.csv")
    assert exported.exit_code == 0
    assert len(read_csv(tmp_path / "runs.csv")) == 1


def test_train_says_what_there_is_instead(uda: Uda, pair: tuple[str, str], target: Path, tmp_path: Path) -> None:
    how = ("--source", pair[0], "--target", pair[1], "--method", "dann", "--protocol", "embedded")
    made = uda("train", *how, "--steps", 4, "--batch-size", 8, "--set", "evaluate_every=2", "--set", "width=2")
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith(f"no accuracy: no test image of {pair[1]} has a label (uda predict says")
    assert "of 4 was picked by information-maximization" in made.stdout


def test_what_needs_labels_refuses_in_one_sentence(uda: Uda, folder: Path, tmp_path: Path) -> None:
    runs, checkpoint = folder.parent, folder / "checkpoint.pt"
    bars = uda("plot", "bars", runs, "-o", tmp_path / "b.png")
    assert refused(bars).startswith("nothing but 1 run without an accuracy, as no test image of the")
    assert "has no accuracy to judge validators by" in refused(uda("validators", runs))
    assert "test has no labels, which an evaluation compares with" in refused(uda("eval", "--checkpoint", checkpoint))


def test_what_needs_none_is_as_ever(uda: Uda, folder: Path, target: Path, tmp_path: Path) -> None:
    checked = uda("verify", folder, "--retrain", "--data-root", tmp_path)
    assert (checked.exit_code, "differs" in checked.output) == (0, False), checked.output
    assert "predictions, last step" in checked.output
    checkpoint = folder / "checkpoint.pt"
    assert uda("translate", "--checkpoint", checkpoint, "-o", tmp_path / "g.png").exit_code == 0
    curves = uda("plot", "curves", folder.parent, "--quantity", "validators", "-o", tmp_path / "c.png")
    assert (curves.exit_code, (tmp_path / "c.png").exists()) == (0, True), curves.output
    sheet = uda("data", "preview", f"npz:{tmp_path / 'black.npz'}", f"npz:{target}", "-o", tmp_path / "s.png")
    assert sheet.exit_code == 0, sheet.output


def test_features_are_drawn_by_the_predicted_class(uda: Uda, folder: Path, target: Path, tmp_path: Path) -> None:
    drawn = uda("plot", "tsne", "--checkpoint", folder / "checkpoint.pt", "-o", tmp_path / "t.png")
    assert f"by true class (of {target.name}, without labels, the predicted one) and by domain" in drawn.stdout


def test_a_report_has_scores_and_what_needs_no_label(uda: Uda, folder: Path, target: Path, tmp_path: Path) -> None:
    train(config_of("unit", (f"npz:{tmp_path / 'black.npz'}",) * 2), tmp_path, tmp_path / "known", quiet=True)
    pages = []
    for number, runs in enumerate(([folder], [folder, tmp_path / "known"])):
        page = tmp_path / f"{number}.html"
        made = uda("report", *runs, "-o", page)
        assert (made.exit_code, made.output) == (0, f"wrote {page}\n")
        pages.append(page.read_text())
    pair = f"black.npz → {target.name}"
    alone, both = (re.findall(r"<strong>Figure [0-9]+\. ([^<]*)\.</strong>", page) for page in pages)
    drawn = [f"Features, {pair}, UNIT", f"Translations, {pair}", f"Interpolations, {pair}"]
    assert alone == ["Label-free scores", *drawn]
    assert both[:4] == ["Accuracy", "Learning curves", "Validators against accuracy", "Label-free scores"]
    assert set(drawn) < set(both)
    for text in pages:
        assert text.count('<td class="text">–</td>') == 3  # in the table of runs
        assert "no accuracy, as no target test image has a label" in text
        assert "left-out" not in text.split("<main>")[1]


def test_a_labelled_sample_gives_the_accuracy_afterwards(uda: Uda, folder: Path, tmp_path: Path) -> None:
    labelled = uda("eval", "--checkpoint", folder / "checkpoint.pt", "--domain", f"npz:{tmp_path / 'black.npz'}")
    assert labelled.exit_code == 0, labelled.output


@pytest.fixture
def ablated(recipe: Path) -> Path:
    more = '[[runs.ablations]]\nname = "no game"\nsettings = { lambda_domain = 0.0 }\n'
    recipe.write_text(recipe.read_text() + more)
    return recipe


def test_ablations_are_of_accuracies(uda: Uda, ablated: Path, tmp_path: Path) -> None:
    made = uda("ablate", ablated, "--results", tmp_path / "results", "--seeds", 1, "--no-judge", "--jobs", 1)
    assert made.exit_code == 2
    assert made.stderr.endswith(f"compared by accuracy: npz:{tmp_path / 'grey.npz'} has no test labels\n")
    refused(made)
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "results").exists()


def test_ablations_are_not_judged_without_training_labels(uda: Uda, pair: tuple[str, str], tmp_path: Path) -> None:
    forget_training_labels(Path(pair[1].removeprefix("npz:")))
    entries = """
        [[runs]]
        method = "target-only"
        [[runs]]
        method = "dann"
        ablations = [{ name = "no game", settings = { lambda_domain = 0.0 } }]
        """
    recipe = write_recipe(tmp_path / "some.toml", pair, entries)
    how = ("ablate", recipe, "--results", tmp_path / "results", "--seeds", 1, "--jobs", 1)
    sentence = refused(uda(*how))
    assert sentence.startswith(f"{recipe}: translated images are judged by target-only, which learns from labels, and")
    assert sentence.endswith("; give --no-judge")
    assert not (tmp_path / "runs").exists()
    made = uda(*how, "--no-judge")
    assert made.exit_code == 0, made.output


@pytest.mark.parametrize(
    "option",
    [
        ("--validator", "bnm"),
        ("--headline", "validator"),
        ("--published", "all"),
        *(("--layout", each) for each in ("brief", "paper", "counterparts")),
    ],
)
def test_a_table_refuses_what_is_of_accuracies(uda: Uda, folder: Path, option: tuple[str, str]) -> None:
    sentence = refused(uda("table", folder, *option))
    assert sentence.startswith(f"{' '.join(option)}: is of accuracies, and no run here has one, as no test image of")


def test_what_runs_cost_needs_no_accuracy(uda: Uda, folder: Path, pair: tuple[str, str], tmp_path: Path) -> None:
    alone = uda("table", folder, "--layout", "cost").stdout
    assert "what a run cost" in alone
    assert "UNIT" in alone
    assert "no accuracy" not in alone
    train(config_of("dann", pair[:1] * 2), tmp_path, tmp_path / "runs", quiet=True)
    both = uda("table", tmp_path / "runs", "--layout", "cost")
    assert (both.stdout.count("what a run cost"), both.stderr) == (1, "")
    assert "UNIT" in both.stdout
    assert "DANN" in both.stdout


def test_nothing_to_export_writes_no_file(uda: Uda, folder: Path, tmp_path: Path) -> None:
    sentence = refused(uda("runs", "export", folder, "-o", tmp_path / "out" / "runs.csv"))
    assert sentence.startswith("nothing to export: there is nothing but 1 run without an accuracy, as no test image")
    assert not (tmp_path / "out").exists()


def test_no_run_can_judge_a_target_without_labels_and_a_source_judge_can(
    uda: Uda, folder: Path, pair: tuple[str, str], tmp_path: Path
) -> None:
    judge = train(config_of("source-only", pair), tmp_path, tmp_path / "runs", quiet=True) / "checkpoint.pt"
    translate = ("translate", "--checkpoint", folder / "checkpoint.pt")
    sentence = refused(uda(*translate, "--judge", judge))
    assert sentence.endswith("has a label no run can judge there, and --source-judge alone can")
    done = uda(*translate, "--source-judge", judge)
    assert done.exit_code == 0, done.output

"""Label-free scores of runs with an accuracy and without: by hand, ranked by what a method does not train on."""

import json
import math
from pathlib import Path

import pytest

from tests.evaluation.examples import result, write_run
from tests.evaluation.logged import log, predict
from uda.errors import UserError
from uda.evaluation.folders import read_result
from uda.evaluation.runs import FoundRuns, RunResult, find_runs
from uda.evaluation.scores import read_scores, write_scores

NAMES = ("consistency", "information-maximization", "bnm")


def unscored(folder: Path, method: str, seed: int, *scores: float) -> RunResult:
    """Write the folder of a run without an accuracy that has these scores in the end, and others before."""
    run = result(method=method, seed=seed, target="folder:x/photos", validator="information-maximization")
    write_run(folder / run.config_hash, run)
    path = folder / run.config_hash / "result.json"
    nothing = dict.fromkeys(("accuracy_last", "accuracy_validator", "accuracy_oracle", "oracle_step"))
    path.write_text(json.dumps({**json.loads(path.read_text()), **nothing, "correct_last": None}), encoding="utf-8")
    log(path.parent, {100: 0.0, 200: 0.0}, scores={name: (9.0, last) for name, last in zip(NAMES, scores, strict=True)})
    return run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    for seed, shift in ((1, 0.0), (2, 0.2)):
        unscored(folder, "source-only", seed, 0.9, 5.0, 0.1)
        unscored(folder, "dann", seed, 0.5, 1.0 + shift, 0.3)
        unscored(folder, "im", seed, 0.7, 3.0, 0.2)
    return folder


def cells(text: str, label: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith((f"| {label}", f"| &emsp;{label}"))]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_they_are_found_apart_from_those_that_have_one(runs: Path) -> None:
    write_run(runs / "known", result(method="mcd"))
    found = find_runs([runs])
    assert [run.method for run in found.results] == ["mcd"]
    assert sorted(run.method for run in found.unscored) == ["dann", "dann", "im", "im", "source-only", "source-only"]
    assert all(math.isnan(run.accuracy_last) for run in found.unscored)
    assert (found.broken, found.missing) == ((), ())


def test_methods_are_ranked_by_what_they_do_not_train_on(runs: Path) -> None:
    text = write_scores(find_runs([runs]), "md")
    assert text.startswith("**MNIST → photos, protocol standard: no accuracy, as no target test image has a label**")
    assert cells(text, "Method")[2:] == list(NAMES)
    assert cells(text, "DANN")[1:] == ["2", "0.5000 ± 0.0000", "1.1000 ± 0.1414", "0.3000 ± 0.0000"]
    # what maximises information has a large nuclear norm too
    flattered = [f"{score} ± 0.0000<sup>a</sup>" for score in ("3.0000", "0.2000")]
    assert cells(text, "IM")[1:] == ["2", "**0.7000 ± 0.0000**", *flattered]
    assert cells(text, "Source only")[1:] == ["2", "0.9000 ± 0.0000", "5.0000 ± 0.0000", "0.1000 ± 0.0000"]
    assert "<sup>a</sup> trains on this score, and is not ranked by it" in text


def test_what_cannot_be_read_hides_nothing_else(runs: Path) -> None:
    broken = next(run for run in find_runs([runs]).unscored if run.method == "im" and run.seed == 2)
    (runs / broken.config_hash / "metrics.jsonl").unlink()
    text = write_scores(find_runs([runs]), "md")
    assert cells(text, "IM")[1:4] == ["1", "**0.7000**", "3.0000<sup>a</sup>"]
    assert f"{broken.config_hash}: has no metrics.jsonl" in text


def test_a_run_of_a_method_that_is_gone_is_shown(runs: Path) -> None:
    run = unscored(runs, "bygone", 1, 1.0, 2.0, 3.0)
    assert read_scores(runs / run.config_hash).trained_on == ()
    assert cells(write_scores(find_runs([runs]), "md"), "BYGONE")[2] == "**1.0000**"


def test_one_accuracy_without_the_others_is_no_result(runs: Path) -> None:
    path = next(runs.glob("*/result.json"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "accuracy_last": 50.0}), encoding="utf-8")
    with pytest.raises(UserError, match="has no 'accuracy_validator'"):
        read_result(path.parent)


def test_csv_has_nothing_to_say_of_them(runs: Path) -> None:
    with pytest.raises(UserError, match="none for a score"):
        write_scores(find_runs([runs]), "csv")


def test_methods_agree_with_the_most_of_the_others(tmp_path: Path) -> None:
    # of five images: what each run takes them for; the ceiling has no vote
    votes = {
        ("mcd", 1): [0, 0, 0, 1, 2],
        ("mcd", 2): [0, 1, 0, 1, 2],
        ("dann", 1): [0, 1, 1, 2, 0],
        ("im", 1): [1, 1, 2, 2, 2],
        ("target-only", 1): [2, 2, 2, 0, 0],
    }
    for (method, seed), predicted in votes.items():
        run = unscored(tmp_path, method, seed, 1.0, 1.0, 1.0)
        predict(tmp_path / run.config_hash, [-1] * 5, predicted, [0] * 5)
    text = write_scores(find_runs([tmp_path]), "md")
    assert cells(text, "Method")[-1] == "agreement"
    # others of mcd: dann and im have 0 1 | 1 | 1 2 | 2 | 0 2; it agrees with one of two equal ones, too
    assert cells(text, "MCD")[-1] == "<u>0.5000 ± 0.1414</u>"  # 2 of 5 and 3 of 5
    # mcd's two runs share a vote: beside dann 0 1 | 1 | 0 2 | 1 2 | 2 have the most, beside im 0 | 1 | 0 1 | 1 2 | 0 2
    assert cells(text, "DANN")[-1] == "**0.6000**"
    assert cells(text, "IM")[-1] == "**0.6000**"
    assert cells(text, "Target only")[-1] == "0.2000"  # all three differ in the third


def test_settings_of_one_method_have_no_vote_on_each_other(tmp_path: Path) -> None:
    votes = (("mcd", [0, 0]), ("dann", [1, 1]), ("bnm", [2, 0]), ("bnm", [2, 0]))
    for number, (method, predicted) in enumerate(votes):
        run = unscored(tmp_path / f"{number}", method, 1, 1.0, 1.0, 1.0)
        folder = tmp_path / f"{number}" / run.config_hash
        values = json.loads((folder / "run.json").read_text())
        values["config"]["settings"] = {"width": number}
        (folder / "run.json").write_text(json.dumps(values))
        found = json.loads((folder / "result.json").read_text())
        (folder / "result.json").write_text(json.dumps({**found, "config_hash": f"{number}"}))
        predict(folder, [-1] * 2, predicted, [0] * 2)
    text = write_scores(find_runs([tmp_path]), "md")
    # beside bnm mcd and dann have 0 1 | 0 1; that another bnm has 2 as well is nothing to it
    shown = [line.strip("| ").split()[-1] for line in text.splitlines() if "BNM, settings" in line]
    assert [text.strip("*") for text in shown] == ["0.5000"] * 2


def test_what_has_collapsed_is_ranked_by_no_score(tmp_path: Path) -> None:
    for method, accuracy, consistency, classes in (
        ("mcd", 70.0, 0.7, 9.0),
        ("dann", 80.0, 0.8, 4.6),
        ("im", 10.0, 1.0, 4.4),
    ):
        run = result(method=method, accuracy_last=accuracy, accuracy_oracle=100.0)
        scores = {"consistency": [consistency], "diversity": [math.log(classes)]}
        log(write_run(tmp_path / method, run), {100: accuracy}, scores=scores)
    text = write_scores(find_runs([tmp_path]), "md")
    assert cells(text, "IM") == ["&emsp;IM<sup>a</sup>", "1", "10.00", "1.0000"]
    assert "- <sup>a</sup> collapsed: its predictions spread over less than half as many classes" in text
    assert cells(text, "DANN")[-1] == "**0.8000**"
    assert cells(text, "Spearman")[-1] == "1.00"
    assert cells(text, "Points lost")[-1] == "0.00"


def test_runs_on_other_data_are_not_compared(tmp_path: Path) -> None:
    for number, method in enumerate(("mcd", "dann", "bnm", "im")):
        run = unscored(tmp_path, method, 1, 1.0, 1.0, 1.0)
        folder = tmp_path / run.config_hash
        values = json.loads((folder / "run.json").read_text())
        files = [{"name": "photos/test", "checksum": "md5:1" if number else "md5:2", "verified": False}]
        (folder / "run.json").write_text(json.dumps({**values, "files": files}))
        predict(folder, [-1] * 2, [0, 1], [0] * 2)
    text = write_scores(find_runs([tmp_path]), "md")
    assert cells(text, "MCD")[-1] == "–"
    assert cells(text, "DANN")[-1] == "**1.0000**"
    assert "MCD, data " in text


def test_too_few_do_not_vote(tmp_path: Path) -> None:
    for method in ("mcd", "dann"):
        predict(tmp_path / unscored(tmp_path, method, 1, 1.0, 1.0, 1.0).config_hash, [-1] * 2, [0, 1], [0, 1])
    assert "agreement" not in cells(write_scores(find_runs([tmp_path]), "md"), "Method")


def test_where_accuracies_are_known_each_score_is_judged_by_them(tmp_path: Path) -> None:
    for method, accuracy, liked in (
        ("mcd", 70.0, 2.0),
        ("dann", 80.0, 1.0),
        ("im", 90.0, 9.0),
        ("target-only", 99.0, 99.0),
    ):
        run = result(method=method, accuracy_last=accuracy, accuracy_oracle=100.0, validator="information-maximization")
        log(write_run(tmp_path / method, run), {100: accuracy}, scores={NAMES[0]: [-accuracy], NAMES[1]: [liked]})
    text = write_scores(find_runs([tmp_path]), "md")
    assert cells(text, "Method") == ["Method", "n", "accuracy", *NAMES[:2]]
    assert cells(text, "DANN")[1:3] == ["1", "80.00"]
    # the first orders all the wrong way; im trains on the second, so that mcd is its choice: 20 points below im
    assert cells(text, "Spearman")[3:] == ["-1.00", "-1.00"]
    assert cells(text, "Points lost")[3:] == ["20.00", "20.00"]
    assert cells(text, "Rows that it ranks")[3:] == ["3", "2"]
    assert "also of those that a score does not rank" in text
    assert "label-free scores" in text


def test_a_run_without_its_folder_has_no_scores() -> None:
    with pytest.raises(UserError, match=r"is known from a runs\.csv alone, which has no scores"):
        write_scores(FoundRuns((result(),)))

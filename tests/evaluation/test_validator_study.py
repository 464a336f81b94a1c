"""The study of validators against examples worked by hand."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import astuple, replace
from unittest.mock import ANY

import pytest

from uda.errors import UserError
from uda.evaluation.correlation import weighted_spearman
from uda.evaluation.histories import History
from uda.evaluation.history import Checkpoint
from uda.evaluation.validator_report import write_study
from uda.evaluation.validator_study import LAST_STEP, Merit, PairStudy, Verdict, study_validators


def run(
    accuracies: Sequence[float],
    source: str = "mnist",
    target: str = "usps",
    method: str = "unit",
    protocol: str = "standard",
    **scores: Sequence[float],
) -> History:
    """A run of which each validator's scores and the accuracies are given, checkpoint by checkpoint."""
    checkpoints = tuple(
        Checkpoint(step, accuracy, {name.replace("_", "-"): values[step] for name, values in scores.items()})
        for step, accuracy in enumerate(accuracies)
    )
    name = json.dumps([accuracies, source, target, method, protocol, scores])
    return History(name, method, "default", source, target, protocol, 1, checkpoints)


def verdict(study: PairStudy, validator: str) -> Verdict:
    (found,) = (each for each in study.verdicts if each.validator == validator)
    return found


# On MNIST -> USPS, two runs: the validator is right in the first, and wrong in the second.
RIGHT = run([70, 80, 90], entropy=[1, 2, 3], method="source-only")
WRONG = run([60, 95, 85], entropy=[6, 5, 4])
# On SVHN -> MNIST, one run: the same score everywhere.
CONSTANT = run([50, 60, 40], "svhn", "mnist", entropy=[1, 1, 1])


def test_checkpoints_of_a_run() -> None:
    (pair,) = study_validators([RIGHT, WRONG]).pairs
    merit = verdict(pair, "entropy").checkpoints
    # accuracies of the second by falling score: 60, 95, 85, whose ranks 1, 3, 2 stand against 3, 2, 1
    weighted = weighted_spearman([6, 5, 4], [60, 95, 85])
    assert weighted is not None
    assert merit.spearman == pytest.approx((1 - 0.5) / 2)
    assert merit.weighted_spearman == pytest.approx((1 + weighted) / 2)
    assert merit.regret == pytest.approx((0 + 35) / 2)
    assert merit.count == 2


def test_runs_at_the_last_step_and_at_their_picks() -> None:
    (pair,) = study_validators([RIGHT, WRONG]).pairs
    # at the last step: scores 3 and 4, accuracies 90 and 85
    assert astuple(verdict(pair, "entropy").last) == pytest.approx((-1, -1, 5, 2))
    # picked: scores 3 and 6, accuracies 90 and 60, where the best checkpoint of any run has 95
    assert astuple(verdict(pair, "entropy").picked) == pytest.approx((-1, -1, 35, 2))


def test_the_last_step_stands_beside_for_comparison() -> None:
    (pair,) = study_validators([RIGHT, WRONG]).pairs
    assert verdict(pair, LAST_STEP) == Verdict(LAST_STEP, Merit(regret=(0 + 10) / 2, count=2), Merit(), Merit())


def test_constant_scores_have_no_correlation_and_pick_the_first() -> None:
    (pair,) = study_validators([CONSTANT]).pairs
    assert verdict(pair, "entropy").checkpoints == Merit(None, None, 10, 1)


def test_one_run_and_one_checkpoint_are_no_choice() -> None:
    (pair,) = study_validators([run([80], entropy=[1])]).pairs
    found = verdict(pair, "entropy")
    assert found.checkpoints == Merit(None, None, None, 0)
    assert found.last == found.picked == Merit(None, None, None, 1)


# Three settings of one method and seed, and one of another, which is no choice.
LIKED = run([70, 80], bnm=[0, 1], entropy=[0, 3])
BETTER = run([70, 90], bnm=[0, 3], entropy=[0, 2])
WORST = run([70, 60], bnm=[0, 2], entropy=[0, 1])
OTHER = run([70, 99], bnm=[0, 9], entropy=[0, 0], method="dann")
SECOND_SEED = [
    replace(run([70, accuracy], bnm=[0, score]), seed=2, config_hash=f"{accuracy}")
    for accuracy, score in ((50, 1), (54, 0))
]


def test_settings_of_a_method() -> None:
    (pair,) = study_validators([LIKED, BETTER, WORST, OTHER]).pairs
    assert pair.choices == 1
    assert pair.chance == pytest.approx(90 - (80 + 90 + 60) / 3)
    # scores 1, 3, 2 of accuracies 80, 90, 60: ranks 1, 3, 2 against 2, 3, 1
    assert verdict(pair, "bnm").settings.spearman == pytest.approx(0.5)
    assert verdict(pair, "bnm").settings.regret == 0
    assert verdict(pair, "entropy").settings.regret == 10
    assert verdict(pair, LAST_STEP).settings == Merit()
    # another seed is another choice, and the mean over choices counts
    (pair,) = study_validators([LIKED, BETTER, WORST, OTHER, *SECOND_SEED]).pairs
    assert pair.choices == 2
    assert pair.chance == pytest.approx((90 - (80 + 90 + 60) / 3 + 2) / 2)
    found = verdict(pair, "bnm").settings
    assert found.spearman == pytest.approx((0.5 - 1) / 2)
    assert (found.regret, found.count) == ((0 + 4) / 2, 2)
    assert verdict(pair, "entropy").settings.count == 1


def test_validators_are_compared_by_choices_that_train_on_none_of_their_scores() -> None:
    flattered = replace(WORST, trained_on=("bnm",))
    (pair,) = study_validators([LIKED, BETTER, flattered, *SECOND_SEED]).pairs
    # the first choice says nothing of bnm; nor is entropy judged by it, and nor is chance
    assert (pair.choices, pair.unfair) == (1, 1)
    assert (verdict(pair, "bnm").settings.regret, verdict(pair, "bnm").settings.count) == (4, 1)
    assert verdict(pair, "entropy").settings == Merit()
    assert pair.chance == 2
    text = " ".join(write_study(study_validators([LIKED, BETTER, flattered, *SECOND_SEED]), "text").split())
    assert "the mean over 1 such choice, without 1 where a run trains on a score here." in text
    assert "A setting of these drawn at random has a regret of 2.00." in text


def test_regret_is_against_the_best_of_all_runs_whether_they_are_ranked_or_not() -> None:
    even = [replace(each, checkpoints=spread(each.checkpoints, 9.0)) for each in (LIKED, BETTER)]
    flattered = replace(run([99, 98], entropy=[0, 1], method="im"), trained_on=("entropy",))
    fallen = run([50, 92], entropy=[0, 9])  # of the settings beside it the best in the end, and yet collapsed
    runs = [*even, flattered, replace(fallen, checkpoints=spread(fallen.checkpoints, 4.4))]
    (pair,) = study_validators(runs).pairs
    found = verdict(pair, "entropy")
    assert (pair.collapsed, pair.flattered, found.flattered) == (1, 1, 1)
    assert (found.last.regret, found.last.count) == (98 - 80, 2)
    assert (found.picked.regret, found.picked.count) == (99 - 80, 2)
    assert (found.settings.regret, found.settings.count) == (92 - 80, 1)
    assert pair.chance == 92 - (80 + 90) / 2


def test_where_runs_train_on_scores_all_validators_are_compared_by_the_same_others() -> None:
    scored = [run([50, 60 + n], entropy=[0, n], snd=[0, -n], method=f"m{n}") for n in range(3)]
    liked = replace(run([50, 90], entropy=[0, 9], snd=[0, 9], method="im"), trained_on=("entropy",))
    study = study_validators([*scored, liked])
    assert [verdict(study.pairs[0], name).last.count for name in ("entropy", "snd")] == [3, 4]
    for name, correlation, regret in (("entropy", 1, 90 - 62), ("snd", -1, 90 - 60)):
        shared = verdict(study.pairs[0], name).shared
        assert shared.spearman == pytest.approx(correlation)
        assert (shared.regret, shared.count) == (regret, 3)
    assert "those that train on no score here, so that validators compare; without 1 run." in write_study(study, "md")
    assert "The same runs for all" not in write_study(study_validators(scored), "md")


def test_what_has_collapsed_is_ranked_with_no_others() -> None:
    even = [replace(each, checkpoints=spread(each.checkpoints, 9.0)) for each in (LIKED, BETTER, RIGHT)]
    fallen = replace(WORST, checkpoints=spread(WORST.checkpoints, 4.4))
    (pair,) = study_validators([*even, fallen]).pairs
    (without,) = study_validators(even).pairs
    found, expected = verdict(pair, "entropy"), verdict(without, "entropy")
    assert (pair.collapsed, pair.runs, without.collapsed) == (1, 4, 0)
    assert (found.last, found.picked, found.settings) == (expected.last, expected.picked, expected.settings)
    assert (found.checkpoints.count, found.flattered) == (4, 0)
    assert (pair.choices, pair.chance) == (without.choices, without.chance)
    text = " ".join(write_study(study_validators([*even, fallen]), "text").split())
    assert " 1 run has collapsed and is ranked with no others" in text


def spread(checkpoints: Sequence[Checkpoint], classes: float) -> tuple[Checkpoint, ...]:
    return tuple(replace(each, scores={**each.scores, "diversity": math.log(classes)}) for each in checkpoints)


def test_settings_are_shown_where_there_is_a_choice() -> None:
    study = study_validators([LIKED, BETTER, WORST, CONSTANT])
    average, first, second = write_study(study, "md").split("**Validators on ")[1:]
    for text in (average, first):
        assert "Settings of a method<br>regret" in text
        assert "the mean over 1 such choice. A setting of these drawn at random has a regret of 13.33." in text
    assert "Settings" not in second
    lines = [line.split(",") for line in write_study(study, "csv").splitlines()]
    assert [line for line in lines if line[4] == "settings" and line[3] == "bnm"] == [
        ["", "all", "all", "bnm", "settings", "1", "0.5", ANY, "0.0"],
        ["standard", "mnist", "usps", "bnm", "settings", "1", "0.5", ANY, "0.0"],
    ]


def test_pairs_count_once_in_the_average_and_undefined_values_are_left_out() -> None:
    study = study_validators([RIGHT, WRONG, CONSTANT])
    assert [(pair.source, pair.runs) for pair in study.pairs] == [("mnist", 2), ("svhn", 1)]
    found = verdict(study.average, "entropy")
    weighted = verdict(study.pairs[0], "entropy").checkpoints.weighted_spearman
    assert astuple(found.checkpoints) == pytest.approx((0.25, weighted, (17.5 + 10) / 2, 2))
    assert astuple(found.last) == pytest.approx((-1, -1, 5, 1))
    assert (study.average.runs, study.average.methods) == (3, ("source-only", "unit"))


def test_protocols_are_never_mixed() -> None:
    study = study_validators([RIGHT, run([60, 95, 85], protocol="unit-2017", entropy=[6, 5, 4])])
    assert [(pair.protocol, pair.runs) for pair in study.pairs] == [("standard", 1), ("unit-2017", 1)]


def test_the_ceiling_is_no_judge() -> None:
    ceiling = run([98, 99], method="target-only", entropy=[2, 1])
    assert study_validators([RIGHT, ceiling]) == study_validators([RIGHT])
    with pytest.raises(UserError, match="no finished run of a method without target labels"):
        study_validators([ceiling])


def test_best_first_and_below_what_fewer_runs_judge() -> None:
    first = run([70, 80, 90], snd=[3, 2, 1], entropy=[1, 2, 3], bnm=[2, 1, 3], mixval=[1, 2, 3])
    second = run([71, 81, 91], snd=[3, 2, 1], entropy=[1, 2, 3], bnm=[2, 1, 3])
    (pair,) = study_validators([first, second]).pairs
    assert [each.validator for each in pair.verdicts] == ["entropy", "bnm", LAST_STEP, "snd", "mixval"]
    assert verdict(pair, "mixval").checkpoints.count == 1


def test_a_run_counts_only_where_every_checkpoint_was_scored() -> None:
    part = replace(RIGHT, checkpoints=(Checkpoint(1, 50, {"snd": 1.0}), Checkpoint(2, 60, {})))
    (pair,) = study_validators([part]).pairs
    assert verdict(pair, "snd") == Verdict("snd", Merit(), Merit(), Merit())


def test_text_shows_values_dashes_and_what_was_left_out() -> None:
    text = write_study(study_validators([RIGHT, WRONG, CONSTANT]), "text")
    average, first, second = text.split("Validators on ")[1:]
    assert average.startswith("the average of 2 pairs\n")
    assert "3 runs of Source only, UNIT" in " ".join(average.split())
    assert first.startswith("MNIST → USPS, protocol standard\n")
    assert [" ".join(line.split()) for line in first.splitlines() if line.startswith("entropy")] == [
        "entropy 0.25* 0.10* 17.50 2 -1.00* -1.00* 5.00* 2 -1.00* -1.00* 35.00* 2"
    ]
    assert [" ".join(line.split()) for line in second.splitlines() if line.startswith("entropy")] == [
        "entropy – – 10.00* 1 – – – 1 – – – 1"
    ]
    assert "(last step)  –         –         20.00" in second


def test_markdown_is_one_pipe_table_for_each_pair_and_their_average() -> None:
    text = write_study(study_validators([RIGHT, WRONG, CONSTANT]), "md")
    tables = [line for line in text.splitlines() if line.startswith("| Validator")]
    assert len(tables) == 3
    assert text.count("\n| :--- | ---: |") == 3
    assert all(line.count("|") == 14 for line in text.splitlines() if line.startswith("|"))
    assert "| entropy | **0.25** | **0.10** | 17.50 | 2 |" in text


def test_one_pair_has_no_average() -> None:
    text = write_study(study_validators([RIGHT, WRONG]), "text")
    assert text.startswith("Validators on MNIST → USPS")
    assert "Musgrave" in text
    assert "average" not in text


def test_a_validator_that_fewer_runs_logged_is_named() -> None:
    study = study_validators([run([70, 80], snd=[1, 2], entropy=[1, 2]), run([70, 81], entropy=[1, 2])])
    assert "not all runs logged them: snd." in write_study(study, "text")


def test_csv_is_tidy_and_unrounded() -> None:
    study = study_validators([RIGHT, WRONG, CONSTANT])
    rows = list(csv.DictReader(io.StringIO(write_study(study, "csv"))))
    assert len(rows) == 3 * 2 * 3  # the average and two pairs, a validator and the last step, three scopes
    found = {(row["source"], row["validator"], row["scope"]): row for row in rows}
    row = found["mnist", "entropy", "checkpoints"]
    merit = verdict(study.pairs[0], "entropy").checkpoints
    assert (float(row["spearman"]), float(row["weighted_spearman"])) == (merit.spearman, merit.weighted_spearman)
    assert (row["protocol"], row["target"], row["regret"], row["n"]) == ("standard", "usps", "17.5", "2")
    assert found["svhn", "entropy", "checkpoints"]["spearman"] == ""
    assert found["all", "entropy", "checkpoints"]["n"] == "2"


def test_runs_are_not_ranked_by_a_score_that_they_train_on() -> None:
    plain = [run([50, 60], entropy=[1, 2], snd=[1, 3]), run([50, 70], entropy=[1, 3], snd=[1, 2])]
    plain = [replace(each, seed=seed) for seed, each in enumerate(plain, start=1)]
    liked = replace(run([50, 40], entropy=[1, 9], snd=[1, 1]), trained_on=("entropy",), seed=3)
    with_all, alone = study_validators([*plain, liked]).pairs[0], study_validators(plain).pairs[0]
    found, without = verdict(with_all, "entropy"), verdict(alone, "entropy")
    assert (found.last, found.picked, found.flattered) == (without.last, without.picked, 1)
    assert found.checkpoints.count == 3
    assert (verdict(with_all, "snd").last.count, verdict(with_all, "snd").flattered) == (3, 0)
    text = write_study(study_validators([*plain, liked]), "text")
    assert "not ranked by it, so that there are fewer: entropy." in " ".join(text.split())
    line, *_ = (line.split() for line in text.splitlines() if line.startswith("entropy"))
    assert line[5:9] == ["1.00*", "1.00*", "0.00*", "2"]

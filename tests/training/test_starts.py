"""A run of several starts: the kept one is a plain run of its seed, whenever it was stopped, and no label chose it."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.breaking import breaking
from tests.training.test_every_method import permute_target_labels
from tests.training.test_run import config_of, identical, log_of, weights
from uda.errors import NotFiniteError, UserError
from uda.evaluation.runs import find_runs
from uda.evaluation.stored import read_stored_run
from uda.evaluation.verify import verify
from uda.training.checkpoint import read_checkpoint
from uda.training.config import RunConfig
from uda.training.job import evaluate
from uda.training.run import train, train_side_by_side
from uda.training.starts import Starts, Tried, describe_starts, read_starts, start_seed
from uda.training.updates import Updates

STARTS = {"starts": 3, "start_steps": 2}
VALIDATOR = "information-maximization"


def untimed(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def alone(config: RunConfig, number: int) -> RunConfig:
    """Return the plain run that one start of a run begins like."""
    return replace(config, seed=start_seed(config.seed, number), starts=1, start_steps=0)


@pytest.mark.parametrize("method", ["unit", "source-only", "shot"])
def test_the_kept_start_is_a_plain_run_of_its_seed_that_the_validator_likes_best(
    method: str, pair: tuple[str, str], tmp_path: Path
) -> None:
    kept = set()
    for seed in (1, 2, 3):
        config = replace(config_of(method, pair, **STARTS), seed=seed)
        folder = train(config, tmp_path, tmp_path / "runs", quiet=True)
        plain = [train(alone(config, number), tmp_path, tmp_path / "plain", quiet=True) for number in range(3)]
        scores = [log_of(other)[0]["validators"][VALIDATOR] for other in plain]
        starts = read_starts(folder)
        assert starts is not None
        assert [each.score for each in starts.tried] == scores
        best = scores.index(max(scores))
        assert (starts.kept, starts.seed) == (best, start_seed(seed, best))
        assert identical(weights(folder), weights(plain[best]))
        assert untimed(log_of(folder)) == untimed(log_of(plain[best]))
        kept.add(best)
    assert kept - {0}


def test_starts_stopped_after_each_evaluation_end_as_uninterrupted_ones(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of("unit", pair, starts=2, start_steps=3)
    whole = train(config, tmp_path, tmp_path / "whole", quiet=True)

    def interrupted(*arguments: Any) -> None:
        evaluate(*arguments)
        raise KeyboardInterrupt

    # each start at 2 and 3, the one that is kept at 4 too
    left = ["start 1 of 2 at step 2 of 3", "start 1 of 2 at step 3 of 3", "start 2 of 2 at step 2 of 3"]
    for evaluations, where in enumerate([*left, "start 2 of 2 at step 3 of 3", ""]):
        monkeypatch.setattr("uda.training.run.evaluate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(config, tmp_path, tmp_path / "pieces", quiet=True)
        monkeypatch.undo()
        (missing,) = find_runs([tmp_path / "pieces"]).missing
        assert missing.reason == (f"unfinished in {where}" if where else "unfinished at step 4 of 6")
        assert (tmp_path / "pieces" / config.name / "starts.json").exists() == (evaluations == 4)
    pieces = train(config, tmp_path, tmp_path / "pieces", quiet=True)
    assert identical(weights(whole), weights(pieces))
    assert untimed(log_of(whole)) == untimed(log_of(pieces))
    assert [line["step"] for line in log_of(whole)] == [2, 3, 4, 6]
    assert (
        read_checkpoint(whole / "checkpoint.pt")["pick"]["step"]
        == read_checkpoint(pieces / "checkpoint.pt")["pick"]["step"]
    )


@pytest.mark.parametrize("evaluations", [1, 2, 3])
def test_starts_do_not_go_on_with_data_that_have_changed(
    evaluations: int, pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, made = config_of("source-only", pair, starts=2, start_steps=3), []

    def interrupted(*arguments: Any) -> None:
        evaluate(*arguments)
        made.append(arguments)
        if len(made) == evaluations:
            raise KeyboardInterrupt

    monkeypatch.setattr("uda.training.run.evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path, tmp_path / "runs", quiet=True)
    monkeypatch.undo()
    permute_target_labels(Path(pair[1].removeprefix("npz:")))
    with pytest.raises(UserError, match=r"begun with other data, .*\.npz has changed since"):
        train(config, tmp_path, tmp_path / "runs", quiet=True)


def test_seeds_side_by_side_choose_each_among_its_own_starts(pair: tuple[str, str], tmp_path: Path) -> None:
    configs = [replace(config_of("dann", pair, **STARTS), seed=seed) for seed in (1, 2, 3)]
    together = train_side_by_side(configs, tmp_path, tmp_path / "together", quiet=True)
    for config, folder in zip(configs, together, strict=True):
        other = train(config, tmp_path, tmp_path / "alone", quiet=True)
        assert identical(weights(folder), weights(other))


def test_permuted_target_labels_change_neither_the_choice_nor_a_bit(pair: tuple[str, str], tmp_path: Path) -> None:
    config = config_of("unit", pair, **STARTS)
    before = train(config, tmp_path, tmp_path / "before", quiet=True)
    permute_target_labels(Path(pair[1].removeprefix("npz:")))
    after = train(config, tmp_path, tmp_path / "after", quiet=True)
    first, second = read_starts(before), read_starts(after)
    assert first is not None
    assert second is not None
    assert [each.score for each in first.tried] == [each.score for each in second.tried]
    assert identical(weights(before), weights(after))


def test_the_cost_is_that_of_all_starts_and_little_is_left_of_them(pair: tuple[str, str], tmp_path: Path) -> None:
    config = config_of("source-only", pair, **STARTS)
    folder = train(config, tmp_path, tmp_path / "runs", quiet=True)
    starts, result = read_starts(folder), json.loads((folder / "result.json").read_text())
    assert starts is not None
    spent = [line["seconds"] for line in log_of(folder)]
    assert spent[0] == pytest.approx(sum(each.seconds for each in starts.tried))
    assert spent == sorted(spent)
    assert result["seconds"] == spent[-1]
    assert result["steps_per_second"] == pytest.approx((6 + 2 * 2) / spent[-1])
    assert result["notes"].split("; ")[-1] == f"the best of 3 starts after 2 steps, by {VALIDATOR}"
    assert [[path.name for path in (folder / f"start-{k}").iterdir()] for k in range(3)] == [["metrics.jsonl"]] * 3


def test_a_run_of_several_starts_is_verified_by_making_it_again(pair: tuple[str, str], tmp_path: Path) -> None:
    folder = train(config_of("unit", pair, **STARTS), tmp_path, tmp_path / "runs", quiet=True)
    verification = verify(read_stored_run(folder), tmp_path, again=True, quiet=True)
    assert verification.same, verification


def test_a_start_that_is_not_finite_is_given_up_alone_or_beside_others(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = [replace(config_of("dann", pair, **STARTS), seed=seed) for seed in (1, 2)]
    plain = [train(alone(configs[0], number), tmp_path, tmp_path / "plain", quiet=True) for number in range(3)]
    scores = [log_of(other)[0]["validators"][VALIDATOR] for other in plain]
    best = scores.index(max(scores))
    second = sorted(range(3), key=lambda number: -scores[number])[1]
    monkeypatch.setattr(Updates, "means", breaking({start_seed(1, best)}))
    folder = train(configs[0], tmp_path, tmp_path / "alone", quiet=True)
    starts = read_starts(folder)
    assert starts is not None
    assert (starts.kept, starts.tried[best].seconds) == (second, 0.0)
    assert [math.isnan(each.score) for each in starts.tried] == [number == best for number in range(3)]
    assert "given up" in describe_starts(starts, configs[0])
    assert identical(weights(folder), weights(plain[second]))
    together = train_side_by_side(configs, tmp_path, tmp_path / "together", quiet=True)
    assert identical(weights(together[0]), weights(folder))
    other = train(configs[1], tmp_path, tmp_path / "other", quiet=True)
    assert identical(weights(together[1]), weights(other))


def test_a_run_none_of_whose_starts_is_finite_is_refused_in_a_sentence(pair: tuple[str, str], tmp_path: Path) -> None:
    config = config_of("source-only", pair, **STARTS, learning_rate=1e30)
    with pytest.raises(NotFiniteError, match=r"none of its 3 starts came to step 2 with finite numbers; lower"):
        train(config, tmp_path, tmp_path / "runs", quiet=True)
    assert not (tmp_path / "runs" / config.name / "starts.json").exists()


def test_of_equal_scores_the_first_is_kept_and_one_that_is_no_number_never() -> None:
    def kept(*scores: float) -> int:
        return Starts(tuple(Tried(k, score, 1.0 + k) for k, score in enumerate(scores))).kept

    assert kept(0.5, 0.7, 0.7) == 1
    assert kept(float("nan"), -3.0) == 1
    assert kept(0.1, float("nan")) == 0
    assert Starts((Tried(1, 0.2, 1.0), Tried(2, 0.1, 2.0), Tried(3, 0.0, 4.0))).seconds_of_others == 6.0


def test_which_was_kept_is_said_in_a_sentence(pair: tuple[str, str]) -> None:
    starts = Starts((Tried(1, 0.25, 1.0), Tried(1 + 2**20, 0.5, 1.0)))
    config = config_of("unit", pair, starts=2, start_steps=3)
    assert describe_starts(starts, config) == f"start 2 of 2 was kept: by {VALIDATOR} after 3 steps, 0.2500, 0.5000"


@pytest.mark.parametrize(
    ("starts", "start_steps", "words"),
    [
        (0, 0, "starts is 0: it must be 1 or more"),
        (3, 0, "start_steps is 0 with 3 starts of a run of 6 steps: it must be 1 or more, and less"),
        (3, 6, "start_steps is 6 with 3 starts"),
        (1, 2, "there is one start alone"),
    ],
)
def test_starts_that_cannot_be_compared_are_refused(
    starts: int, start_steps: int, words: str, pair: tuple[str, str]
) -> None:
    with pytest.raises(UserError, match=words):
        config_of("unit", pair, starts=starts, start_steps=start_steps)


def test_one_start_is_the_run_that_it_always_was_and_more_are_another(pair: tuple[str, str]) -> None:
    plain = config_of("unit", pair)
    old = {key: value for key, value in plain.to_dict().items() if not key.startswith("start")}
    assert RunConfig.from_dict(old) == plain
    several = [config_of("unit", pair, starts=n, start_steps=k) for n, k in ((2, 2), (3, 2), (2, 3))]
    assert len({config.hash for config in (plain, *several)}) == 4

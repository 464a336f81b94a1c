"""A run: target labels cannot reach it, a resume changes nothing, and its checkpoint gives its very accuracy."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import bars
from uda.errors import UserError
from uda.methods import METHODS
from uda.metrics.correctness import unpack
from uda.training.checkpoint import load_model, read_checkpoint
from uda.training.config import RunConfig
from uda.training.job import evaluate
from uda.training.resolve import resolve
from uda.training.run import train, train_side_by_side

QUICK = {"steps": 6, "batch_size": 6, "evaluate_every": 2, "augmentation.shift": 1, "width": 2}


def config_of(method: str, pair: tuple[str, str], **overrides: object) -> RunConfig:
    return resolve(method, *pair, protocol="embedded", overrides={**QUICK, **overrides})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(read_checkpoint(folder / "checkpoint.pt")["model"])


def identical(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)


def log_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def interrupted(*arguments: Any) -> None:
    """Evaluate, and stop the run behind it."""
    evaluate(*arguments)
    raise KeyboardInterrupt


def train_in_pieces(config: RunConfig, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stop a run of three evaluations after each of the first two, and finish it; return its folder."""
    with monkeypatch.context() as patched:
        patched.setattr("uda.training.run.evaluate", interrupted)
        for _ in range(2):
            torch.manual_seed(99)
            with pytest.raises(KeyboardInterrupt):
                train(config, folder, folder / "pieces", quiet=True)
    return train(config, folder, folder / "pieces", quiet=True)


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"head": "discriminator", "lambda_features": 1e-4},
        {"precision": "bf16"},
        {"refine_share": 0.5, "lambda_semantic": 1.0, "lambda_vat_target": 1.0},
        {"refine_share": 0.5, "lambda_teacher": 0.0, "average_decay": 0.9, "head": "discriminator"},
    ],
)
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    overrides: dict[str, object], pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of("unit", pair, **overrides)
    whole = train(config, tmp_path, tmp_path / "whole", quiet=True)
    pieces = train_in_pieces(config, tmp_path, monkeypatch)

    first, second = read_checkpoint(whole / "checkpoint.pt"), read_checkpoint(pieces / "checkpoint.pt")
    assert identical(first["model"], second["model"])
    assert identical(first["pick"]["model"], second["pick"]["model"])
    lines = [[{k: v for k, v in line.items() if k != "seconds"} for line in log_of(f)] for f in (whole, pieces)]
    assert lines[0] == lines[1]
    assert [line["step"] for line in lines[0]] == [2, 4, 6]


def test_a_method_that_its_last_step_makes_is_picked_there_alone_and_may_be_resumed_before(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Source-only, declared so: its score falls, so that it would be picked at its first evaluation."""
    config = config_of("source-only", pair, evaluate_every=1)
    falling = iter(range(100, 0, -1))
    monkeypatch.setattr("uda.training.job.validate", lambda outputs: {config.validator: next(falling)})
    usual = train(config, tmp_path, tmp_path / "usual", quiet=True)
    assert read_checkpoint(usual / "checkpoint.pt")["pick"]["step"] == 1
    monkeypatch.setattr(METHODS["source-only"], "only_at_end", True)
    with monkeypatch.context() as patched:
        patched.setattr("uda.training.run.evaluate", interrupted)
        for step in range(1, 6):
            with pytest.raises(KeyboardInterrupt):
                train(config, tmp_path, tmp_path / "late", quiet=True)
            values = read_checkpoint(tmp_path / "late" / config.name / "checkpoint.pt")
            assert (values["step"], values["pick"]) == (step, None)
    folder = train(config, tmp_path, tmp_path / "late", quiet=True)
    values, result = read_checkpoint(folder / "checkpoint.pt"), json.loads((folder / "result.json").read_text())
    assert values["pick"]["step"] == result["validator_step"] == result["oracle_step"] == 6
    assert identical(values["pick"]["model"], values["model"])
    assert result["accuracy_validator"] == result["accuracy_oracle"] == result["accuracy_last"]


def test_a_run_that_goes_on_keeps_what_it_was_made_by_before(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of("source-only", pair)
    for version in ("old", "newer", "newest"):
        with monkeypatch.context() as patched:
            patched.setattr("uda.training.run.code_version", lambda version=version: version)
            if version == "newest":
                folder = train(config, tmp_path, tmp_path, quiet=True)
                break
            patched.setattr("uda.training.run.evaluate", interrupted)
            with pytest.raises(KeyboardInterrupt):
                train(config, tmp_path, tmp_path, quiet=True)
    about, steps = json.loads((folder / "run.json").read_text()), [line["step"] for line in log_of(folder)]
    assert about["code_version"] == "newest"
    earlier = [(each["code_version"], each["until_step"]) for each in about["earlier"]]
    assert earlier == [("old", steps[0]), ("newer", steps[1])]
    assert about["earlier"][0]["device"] == about["device"]


def test_a_run_does_not_go_on_without_what_says_how_it_was_begun(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of("source-only", pair)
    with monkeypatch.context() as patched:
        patched.setattr("uda.training.run.evaluate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(config, tmp_path, tmp_path, quiet=True)
    (tmp_path / config.name / "run.json").unlink()
    with pytest.raises(UserError, match=r"was begun, but has no run\.json"):
        train(config, tmp_path, tmp_path, quiet=True)


def test_a_run_does_not_go_on_with_data_that_have_changed(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of("source-only", pair)
    whole = train(config, tmp_path, tmp_path / "whole", quiet=True)
    with monkeypatch.context() as patched:
        patched.setattr("uda.training.run.evaluate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(config, tmp_path, tmp_path, quiet=True)
    record, source = tmp_path / config.name / "run.json", Path(pair[0].removeprefix("npz:"))
    begun, images = record.read_bytes(), source.read_bytes()
    bars(source, 120)
    with pytest.raises(UserError, match=r"begun with other data, .*black\.npz has changed since; put it back"):
        train(config, tmp_path, tmp_path, quiet=True)
    assert record.read_bytes() == begun
    source.write_bytes(images)
    assert identical(weights(train(config, tmp_path, tmp_path, quiet=True)), weights(whole))


def test_seeds_side_by_side_give_what_each_gives_alone(pair: tuple[str, str], tmp_path: Path) -> None:
    configs = [replace(config_of("unit", pair), seed=seed) for seed in (1, 2, 3)]
    together = train_side_by_side(configs, tmp_path, tmp_path / "together", quiet=True)
    alone = [train(config, tmp_path, tmp_path / "alone", quiet=True) for config in configs]
    assert [folder.name for folder in together] == [config.name for config in configs]
    for one, other in zip(together, alone, strict=True):
        assert identical(weights(one), weights(other))
    assert not identical(weights(together[0]), weights(together[1]))
    with pytest.raises(UserError, match="seed alone"):
        train_side_by_side([configs[0], replace(configs[1], steps=7)], tmp_path, tmp_path, quiet=True)


def test_a_term_that_is_not_finite_stops_the_run_with_its_name_and_step(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = METHODS["source-only"].update

    def break_down(self: Any, batch: Any, step: torch.Tensor) -> dict[str, torch.Tensor]:
        terms = update(self, batch, step)
        return {name: torch.where(step >= 3, torch.inf, term) for name, term in terms.items()}

    monkeypatch.setattr(METHODS["source-only"], "update", break_down)
    config = config_of("source-only", pair)
    with pytest.raises(UserError, match="classification was not finite at step 3"):
        train(config, tmp_path, tmp_path, quiet=True)
    folder = tmp_path / config.name
    assert read_checkpoint(folder / "checkpoint.pt")["step"] == 2
    assert not (folder / "result.json").exists()


def test_eval_from_the_checkpoint_alone_gives_the_recorded_accuracies(pair: tuple[str, str], tmp_path: Path) -> None:
    folder = train(config_of("unit", pair), tmp_path, tmp_path / "runs", quiet=True)
    result = json.loads((folder / "result.json").read_text())
    elsewhere = tmp_path / "copied.pt"
    (folder / "checkpoint.pt").rename(elsewhere)
    for which, key in (("last", "accuracy_last"), ("pick", "accuracy_validator")):
        command = ["eval", "--checkpoint", elsewhere, "--weights", which, "--data-root", tmp_path, "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "uda.cli.main", *map(str, command)], capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout)["accuracy"] == result[key]


def test_the_three_accuracies_follow_the_log(pair: tuple[str, str], tmp_path: Path) -> None:
    folder = train(config_of("unit", pair), tmp_path, tmp_path / "runs", quiet=True)
    result = json.loads((folder / "result.json").read_text())
    log = log_of(folder)
    best = max(log, key=lambda line: line["validators"][result["validator"]])
    assert (result["validator_step"], result["accuracy_validator"]) == (best["step"], best["target_test_accuracy"])
    assert result["accuracy_last"] == log[-1]["target_test_accuracy"]
    assert result["accuracy_oracle"] == max(line["target_test_accuracy"] for line in log)


def test_the_run_keeps_which_test_images_it_had_right(pair: tuple[str, str], tmp_path: Path) -> None:
    folder = train(config_of("unit", pair), tmp_path, tmp_path / "runs", quiet=True)
    result = json.loads((folder / "result.json").read_text())
    with np.load(folder / "predictions.npz") as kept:
        for name, accuracy in (("last", "accuracy_last"), ("pick", "accuracy_validator")):
            correct = kept[name] == kept["labels"]
            assert 100 * correct.mean() == pytest.approx(result[accuracy], abs=1e-9)
            packed = result[{"last": "correct_last", "pick": "correct_validator"}[name]]
            assert np.array_equal(unpack(packed, len(correct)).numpy(), correct)


def test_a_finished_run_is_left_alone(pair: tuple[str, str], tmp_path: Path) -> None:
    config = config_of("source-only", pair)
    folder = train(config, tmp_path, tmp_path / "runs", quiet=True)
    stamps = {p: p.stat().st_mtime_ns for p in folder.iterdir()}
    assert train(config, tmp_path, tmp_path / "runs", quiet=True) == folder
    assert stamps == {p: p.stat().st_mtime_ns for p in folder.iterdir()}


def test_a_folder_of_another_config_is_refused(pair: tuple[str, str], tmp_path: Path) -> None:
    config = config_of("source-only", pair)
    folder = train(config, tmp_path, tmp_path, quiet=True)
    other = replace(config, seed=7)
    folder.rename(tmp_path / other.name)
    (tmp_path / other.name / "result.json").unlink()
    with pytest.raises(UserError, match="another config"):
        train(other, tmp_path, tmp_path, quiet=True)


def test_more_images_than_there_are_is_refused_in_one_sentence(pair: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="fewer than one batch of 500"):
        train(config_of("source-only", pair, batch_size=500), tmp_path, tmp_path, quiet=True)


@pytest.mark.parametrize("damage", ["missing", "truncated", "foreign", "code", "garbage"])
def test_a_bad_checkpoint_is_refused_in_one_sentence(damage: str, pair: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    if damage == "truncated":
        folder = train(config_of("source-only", pair), tmp_path, tmp_path, quiet=True)
        path.write_bytes((folder / "checkpoint.pt").read_bytes()[:2000])
    elif damage == "foreign":
        torch.save({"weights": torch.zeros(2)}, path)
    elif damage == "code":
        torch.save({"format": "uda-checkpoint", "run": subprocess.Popen}, path)
    elif damage == "garbage":
        path.write_bytes(b"no checkpoint")
    words = {"missing": "no such", "foreign": "not a checkpoint", "code": "could run code"}.get(
        damage, "truncated or not"
    )
    with pytest.raises(UserError, match=words) as caught:
        load_model(path)
    assert str(path) in str(caught.value)


def test_a_result_says_that_source_images_were_painted(pair: tuple[str, str], tmp_path: Path) -> None:
    notes = {}
    for share in (0.0, 0.25):
        config = config_of("source-only", pair, **{"augmentation.painted": share})
        folder = train(config, tmp_path, tmp_path, device="cpu", quiet=True)
        notes[share] = json.loads((folder / "result.json").read_text())["notes"]
    assert notes[0.25].removeprefix(notes[0.0]).lstrip("; ") == (
        "25 % of the source's images painted with patches of the target's"
    )

"""``uda train`` from the command line: runs, resumes, and what it refuses."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from tests.conftest import Uda, refused
from tests.training.breaking import breaking
from tests.training.test_unlabelled import forget_labels
from uda.cli.train import parse_settings, parse_value
from uda.training.checkpoint import read_checkpoint
from uda.training.claim import claim
from uda.training.probe import own_threads
from uda.training.updates import Updates

SMALL = ("--batch-size", 16, "--set", "width=4", "--set", "evaluate_every=10")


def arguments(pair: tuple[str, str], method: str = "source-only", steps: int = 20) -> tuple[object, ...]:
    return ("train", "--source", pair[0], "--target", pair[1], "--method", method, "--steps", steps, *SMALL)


def test_a_run_prints_its_accuracies_and_is_not_made_twice(uda: Uda, pair: tuple[str, str]) -> None:
    first = uda(*arguments(pair))
    assert first.exit_code == 0, first.output
    assert "% at the last step (20)\n" in first.stdout
    assert "picked by information-maximization" in first.stdout
    folder = Path(first.stdout.splitlines()[-1].removeprefix("run folder: "))
    config = json.loads((folder / "run.json").read_text())["config"]
    assert (config["steps"], config["batch_size"], config["evaluate_every"]) == (20, 16, 10)
    assert config["settings"]["width"] == 4
    stamp = (folder / "checkpoint.pt").stat().st_mtime_ns
    assert uda(*arguments(pair)).stdout == first.stdout
    assert (folder / "checkpoint.pt").stat().st_mtime_ns == stamp


def test_a_class_that_is_hardly_predicted_is_named_without_a_label(uda: Uda, pair: tuple[str, str]) -> None:
    result = uda(*arguments(pair, steps=2), "--set", "learning_rate=1.0")  # which ends in one class or two
    folder = Path(result.stdout.splitlines()[-1].removeprefix("run folder: "))
    *_, last = (folder / "metrics.jsonl").read_text().splitlines()
    shares = json.loads(last)["predicted"]
    assert sum(shares.values()) == pytest.approx(1.0)
    assert list(shares) == list(read_checkpoint(folder / "checkpoint.pt")["class_names"])
    lost = [name for name, share in shares.items() if share < 0.02]
    assert lost
    assert all(f"{name} ({100 * shares[name]:.1f} %)" in result.stderr for name in lost)
    assert result.stdout.startswith("target test accuracy")


def test_of_several_starts_the_kept_one_is_told(uda: Uda, pair: tuple[str, str]) -> None:
    result = uda(*arguments(pair), "--set", "starts=2", "--set", "start_steps=5")
    assert result.exit_code == 0, result.output
    folder = Path(result.stdout.splitlines()[-1].removeprefix("run folder: "))
    starts = json.loads((folder / "starts.json").read_text())
    scores = [each["score"] for each in starts["tried"]]
    assert starts["kept"] == scores.index(max(scores))
    said = f"start {starts['kept'] + 1} of 2 was kept: by information-maximization after 5 steps, "
    assert f"{said}{scores[0]:.4f}, {scores[1]:.4f}\n" in result.stdout
    assert "start_steps is 5, but there is one start alone" in refused(uda(*arguments(pair), "--set", "start_steps=5"))


def test_several_seeds_at_once_give_what_each_gives_alone(uda: Uda, pair: tuple[str, str], tmp_path: Path) -> None:
    alone = uda(*arguments(pair), "--seed", 2, "--threads", 1)
    alone_folder = Path(alone.stdout.splitlines()[-1].removeprefix("run folder: "))
    together = uda(*arguments(pair), "--seeds", "1-2", "--threads", 1, "--runs", tmp_path / "together")
    assert together.exit_code == 0, together.output
    lines = together.stdout.splitlines()
    assert [line for line in lines if line.startswith("seed")] == ["seed 1", "seed 2"]
    assert lines[6:9] == alone.stdout.splitlines()[:3]
    folder = Path(lines[-1].removeprefix("run folder: "))
    one, two = (read_checkpoint(f / "checkpoint.pt")["model"] for f in (alone_folder, folder))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert "give one of them" in refused(uda(*arguments(pair), "--seed", 2, "--seeds", "1-2"))
    assert "whole numbers" in refused(uda(*arguments(pair), "--seeds", "2-1"))


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make several seeds in turn in this process: what is said of them is the same, and no process must start."""
    monkeypatch.setattr("uda.cli.workplace.runs_at_a_time", lambda device, threads: 1)


@pytest.mark.usefixtures("one_at_a_time")
def test_of_several_seeds_one_that_fails_is_named_and_the_others_are_shown(uda: Uda, pair: tuple[str, str]) -> None:
    folder = Path(uda(*arguments(pair), "--seed", 2).stdout.splitlines()[-1].removeprefix("run folder: "))
    (folder / "result.json").write_text("[]", encoding="utf-8")
    result = uda(*arguments(pair), "--seeds", "1-3")
    assert result.exit_code == 2
    assert [line for line in result.stdout.splitlines() if line.startswith("seed")] == ["seed 1", "seed 3"]
    *progress, error = result.stderr.splitlines()
    assert any(re.match(r"\[1/3\] seed 1: done in \d+ s", line) for line in progress)
    assert error.startswith(f"error: seed 2: {folder / 'result.json'}: holds no JSON object")


@pytest.mark.usefixtures("one_at_a_time")
def test_what_keeps_all_seeds_from_beginning_is_said_once_and_leaves_nothing(
    uda: Uda, pair: tuple[str, str], tmp_path: Path
) -> None:
    result = uda(*arguments(pair), "--seeds", "1-2", "--batch-size", 500)
    assert result.exit_code == 2
    assert result.stdout == ""
    error = result.stderr.splitlines()[-1]
    assert error.startswith("error: seed 1, seed 2: the source domain has 48 training images, fewer than one batch")
    assert error.count("fewer than one batch of 500") == 1
    assert "fewer than one batch of 500" in refused(uda(*arguments(pair), "--batch-size", 500))
    assert not list((tmp_path / "runs").iterdir())


def test_a_run_that_was_begun_and_failed_is_told_as_failed(
    uda: Uda, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Updates, "means", breaking({1}, after=3))
    assert refused(uda(*arguments(pair))) == "broken by 1"
    assert "failed: broken by 1" in uda("runs", "list").output
    monkeypatch.undo()
    assert uda(*arguments(pair)).exit_code == 0
    assert "broken by 1" not in uda("runs", "list").output


def test_what_no_sentence_was_written_for_ends_in_one_too(
    uda: Uda, pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(self: object, source: object, target: object) -> None:
        raise RuntimeError("you tried to allocate 99999999 bytes")

    monkeypatch.setattr(Updates, "update", out_of_memory)
    sentence = refused(uda(*arguments(pair)))
    (report,) = (tmp_path / "runs").glob("*/error.txt")
    assert sentence == f"RuntimeError: you tried to allocate 99999999 bytes (all of it in {report})"
    assert "Traceback" in report.read_text()


def test_what_does_not_fit_into_memory_ends_in_a_sentence_with_a_remedy(
    uda: Uda, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(self: object, source: object, target: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Updates, "update", out_of_memory)
    assert refused(uda(*arguments(pair))).startswith("out of memory: give fewer or smaller images")


def write_images(npz: str, folder: Path) -> None:
    """Write the test images of an npz as files of three sizes."""
    folder.mkdir(parents=True)
    with np.load(npz.removeprefix("npz:")) as arrays:
        for place, image in enumerate(arrays["test_images"]):
            larger = np.kron(image, np.ones((1 + place % 3,) * 2, np.uint8))
            Image.fromarray(larger).save(folder / f"{place}.png")


@pytest.mark.parametrize("form", ["npz", "loose", "split"])
def test_of_a_target_without_labels_the_command_is_told_that_classifies_it(
    form: str, uda: Uda, pair: tuple[str, str], tmp_path: Path
) -> None:
    forget_labels(Path(pair[1].removeprefix("npz:")))
    folder = tmp_path / "own images"
    target, place = {
        "npz": (pair[1], pair[1]),
        "loose": (f"folder:{folder}", str(folder)),
        "split": (f"folder:{folder}", str(folder / "test")),
    }[form]
    for split in {"npz": (), "loose": (".",), "split": ("train", "test")}[form]:
        write_images(pair[1], folder / split)
    trained = uda(*arguments((pair[0], target), steps=10))
    assert trained.exit_code == 0, trained.output
    said = re.search(r"what they are taken for: (uda predict .*); uda table, what", trained.stdout)
    assert said
    command = shlex.split(said[1])
    assert command[:3] == ["uda", "predict", place]
    result = uda(*command[1:], "-o", tmp_path / "p.csv")
    assert result.exit_code == 0, result.output
    with np.load(Path(command[-1]).parent / "predictions.npz") as stored:
        taken = np.bincount(stored["last"], minlength=3)
    found = pd.read_csv(tmp_path / "p.csv", dtype={"predicted": str})["predicted"]
    assert [(found == name).sum() for name in "012"] == taken.tolist()


def test_the_built_in_pair_trains_unit_without_any_download(uda: Uda) -> None:
    result = uda(*arguments(("rendered", "optdigits"), "unit", 4), "--protocol", "embedded")
    assert result.exit_code == 0, result.output
    assert "% at the last step (4)\n" in result.stdout


def test_a_run_of_another_process_is_left_alone(uda: Uda, pair: tuple[str, str]) -> None:
    folder = Path(uda(*arguments(pair, steps=1)).stdout.splitlines()[-1].removeprefix("run folder: "))
    with claim(folder) as ours:
        assert ours
        assert uda(*arguments(pair, steps=1)).exit_code == 0  # a finished run is only shown
        (folder / "result.json").unlink()
        assert f"{folder}: another process is making this very run" in refused(uda(*arguments(pair, steps=1)))


def test_several_seeds_have_the_threads_that_were_asked_for(
    uda: Uda, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with own_threads():
        result = uda(*arguments(pair), "--seeds", "1-2", "--threads", 3, "--device", "cpu")
    assert result.exit_code == 0, result.output
    folders = [Path(line.removeprefix("run folder: ")) for line in result.stdout.splitlines() if "folder" in line]
    threads = [json.loads((folder / "run.json").read_text())["device"]["threads"] for folder in folders]
    assert threads == [3, 3]


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--source", "mnits", "unknown domain 'mnits': did you mean 'mnist'?"),
        ("--target", "usps-els", "unknown domain 'usps-els': did you mean 'usps-esl'?"),
        ("--method", "unitt", "unknown method 'unitt': did you mean 'unit'?"),
        ("--preset", "unit-2018", "unknown preset of unit 'unit-2018': did you mean 'unit-2017'?"),
        ("--protocol", "standart", "unknown protocol 'standart': did you mean 'standard'?"),
        ("--precision", "fp23", "unknown precision 'fp23': did you mean 'fp32'?"),
        ("--device", "cdua", "unknown device 'cdua': did you mean 'cuda'?"),
        ("--device", "meta", "unknown device 'meta': known are auto, cpu, cuda"),
        ("--device", "cpu:3", "device 'cpu:3' was asked for, but the last one here is cpu:0"),
        ("--set", "wdith=8", "unknown setting of unit 'wdith': did you mean 'width'?"),
        ("--set", "augmentation.shfit=1", "did you mean 'augmentation.shift'?"),
        ("--set", "validator=entrpy", "unknown validator 'entrpy': did you mean 'entropy'?"),
        ("--set", "head=encodr", "unknown head 'encodr': did you mean 'encoder'?"),
        ("--set", "width=wide", "width is 'wide': it must be a whole number"),
        ("--set", "width=8.5", "width is 8.5: it must be a whole number"),
        ("--set", "xy=1", "xy is 1: it must be true or false"),
        ("--set", "lambda_0=nan", "lambda_0 is nan: it must be a number"),
        ("--set", "width", "--set width: give it as KEY=VALUE"),
        ("--steps", "0", "steps is 0: it must be 1 or more"),
        ("--seed", "-1", "seed is -1: it must be 0 or more"),
        ("--seed", "99999999999999999999", "seed is 99999999999999999999: it must be below 2^63"),
        ("--seeds", ",", "--seeds ,: names no seed; give whole numbers"),
    ],
)
def test_wrong_input_is_one_sentence(uda: Uda, option: str, value: str, sentence: str) -> None:
    result = uda("train", "--source", "rendered", "--target", "optdigits", "--method", "unit", option, value)
    assert sentence in refused(result)


def test_missing_data_is_one_sentence(uda: Uda) -> None:
    result = uda("train", "--source", "mnist", "--target", "usps-esl", "--method", "source-only")
    assert "MNIST" in refused(result)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8", 8),
        ("1e-3", 1e-3),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ('"encoder"', "encoder"),
        ("encoder", "encoder"),
        ("bf16", "bf16"),
        ("1\nother = 2", "1\nother = 2"),
    ],
)
def test_values_are_toml_literals_or_names(text: str, value: object) -> None:
    parsed = parse_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


def test_a_setting_may_hold_an_equals_sign() -> None:
    assert parse_settings(("a=b=c",)) == {"a": "b=c"}

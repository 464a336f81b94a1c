"""A stored run is verified as it is, and each thing that is changed in its folder is found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.evaluation.examples import tiny_run
from uda.errors import UserError
from uda.evaluation.conditions import as_recorded
from uda.evaluation.retrain import compare_lines, compare_weights
from uda.evaluation.stored import read_stored_run
from uda.evaluation.verify import Verification, describe_verification, verify

CHECKED = [
    *("data files", "result.json"),
    *("accuracy, last step", "right images, last step", "predictions, last step"),
    *("accuracy, validator's pick", "right images, validator's pick", "predictions, validator's pick"),
]


@pytest.fixture
def run(source_only_run: Path, tmp_path: Path) -> Path:
    """A copy of a run that may be changed."""
    return Path(shutil.copytree(source_only_run, tmp_path / source_only_run.name))


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


def edit_predictions(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    with np.load(run / "predictions.npz") as file:
        arrays = dict(file)
    change(arrays)
    np.savez(run / "predictions.npz", **arrays)


def edit_weights(run: Path, which: str, change: Callable[[torch.Tensor], object]) -> None:
    values = torch.load(run / "checkpoint.pt", weights_only=True)
    model = values["model"] if which == "last" else values["pick"]["model"]
    change(next(iter(model.values())))
    torch.save(values, run / "checkpoint.pt")


def check(run: Path, **options: Any) -> Verification:
    return verify(read_stored_run(run), run, quiet=True, **options)


def differing(found: Verification) -> list[str]:
    return [finding.item for finding in found.findings if not finding.same]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(labels: Any, count: int) -> None:
    labels[:count] = (labels[:count] + 1) % 3


@pytest.mark.parametrize("name", ["source_only_run", "unit_run"])
def test_a_run_that_nobody_touched_is_the_same(name: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(name)
    threads = torch.get_num_threads()
    found = check(folder)
    assert found.same
    assert [finding.item for finding in found.findings] == CHECKED
    assert found.notes == ()
    assert torch.get_num_threads() == threads


def test_trained_again_a_run_is_the_same_bit_for_bit(unit_run: Path) -> None:
    files = {path: path.stat().st_mtime_ns for path in unit_run.rglob("*")}
    found = check(unit_run, again=True)
    assert differing(found) == []
    again = [finding.item for finding in found.findings][len(CHECKED) :]
    assert again == [
        "retrained weights, last step",
        "retrained weights, validator's pick",
        "retrained metrics",
        "retrained accuracy, last step",
        "retrained accuracy, validator's pick",
        "retrained accuracy, oracle's pick",
        "retrained step, validator's pick",
        "retrained step, oracle's pick",
    ]
    assert files == {path: path.stat().st_mtime_ns for path in unit_run.rglob("*")}


def test_a_run_is_checked_with_its_own_threads_and_layout(run: Path) -> None:
    before = torch.get_num_threads()
    edit(run / "run.json", lambda about: about["device"].update(threads=before + 1))
    edit(run / "run.json", lambda about: about["layout"].update(channels_last=False))
    stored = read_stored_run(run)
    assert not stored.layout.channels_last
    with as_recorded(stored, None) as conditions:
        assert torch.get_num_threads() == before + 1
        assert conditions.device == torch.device("cpu")
    assert torch.get_num_threads() == before
    edit(run / "run.json", lambda about: [about.pop(key) for key in ("layout", "device", "versions")])  # an older run
    found = check(run)
    assert found.same
    assert found.notes[0].startswith("made with unknown, checked with cpu")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda r: edit(r / "result.json", lambda v: v.update(validator_step=3)), ["result.json"]),
        (
            lambda r: edit(r / "result.json", lambda v: v.update(accuracy_oracle=100.0)),
            ["result.json"],
        ),
        (lambda r: edit_predictions(r, lambda p: flip(p["last"], 2)), ["predictions, last step"]),
        (lambda r: edit_predictions(r, lambda p: flip(p["pick"], 1)), ["predictions, validator's pick"]),
        (
            lambda r: edit_predictions(r, lambda p: flip(p["labels"], 1)),
            ["predictions, last step", "predictions, validator's pick"],
        ),
        (lambda r: edit(r / "run.json", lambda v: v["files"][0].update(checksum="md5:0")), ["data files"]),
    ],
)
def test_what_was_changed_is_found(run: Path, change: Callable[[Path], object], found: list[str]) -> None:
    change(run)
    assert differing(check(run)) == found


def test_changed_weights_are_found(run: Path) -> None:
    edit_weights(run, "last", lambda tensor: tensor.add_(torch.linspace(-5, 5, tensor.numel()).reshape(tensor.shape)))
    found = check(run, again=True)
    assert "predictions, last step" in differing(found)
    assert "predictions, validator's pick" not in differing(found)
    assert "retrained weights, last step" in differing(found)
    assert "retrained metrics" not in differing(found)
    detail = next(each.detail for each in found.findings if each.item == "retrained weights, last step")
    assert detail == f"1 of {len(read_stored_run(run).checkpoint['model'])} tensors differ, by 5 at the most"


def test_elsewhere_one_image_of_thirty_may_be_classified_otherwise(run: Path) -> None:
    edit(run / "run.json", lambda about: about["device"].update(name="another processor"))
    edit_predictions(run, lambda arrays: flip(arrays["last"], 1))
    found = check(run)
    assert found.same
    assert len(found.notes) == 1
    assert found.notes[0].startswith("made with another processor, checked with ")
    lines = [" ".join(line.split()) for line in describe_verification(found).splitlines()]
    assert "same predictions, last step 1 of 30 images differ (1 may)" in lines
    edit_predictions(run, lambda arrays: flip(arrays["last"][5:], 1))
    assert differing(check(run)) == ["predictions, last step"]


def test_a_run_of_an_older_version_has_fewer_things_to_check(run: Path) -> None:
    (run / "predictions.npz").unlink()
    edit(run / "result.json", lambda values: [values.pop(key) for key in ("correct_last", "correct_validator")])
    found = check(run)
    assert found.same
    assert [finding.item for finding in found.findings] == [
        item for item in CHECKED if "images" not in item and "predictions" not in item
    ]


def test_other_data_is_found(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "source-only")
    with np.load(tmp_path / "colour.npz") as file:
        arrays = dict(file)
    arrays["test_labels"] = np.roll(arrays["test_labels"], 1)
    np.savez(tmp_path / "colour.npz", **arrays)
    assert {"data files", "predictions, last step"} <= set(differing(check(run)))


def test_another_number_of_test_images_is_found(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "source-only")
    with np.load(tmp_path / "colour.npz") as file:
        arrays = dict(file)
    for name in ("test_images", "test_labels"):
        arrays[name] = np.concatenate([arrays[name], arrays[name][:20]])
    np.savez(tmp_path / "colour.npz", **arrays)
    details = {finding.item: finding.detail for finding in check(run).findings if not finding.same}
    assert list(details) == ["data files", "accuracy, last step", "accuracy, validator's pick"]
    assert details["accuracy, last step"] == "recorded of 30 test images, but the test split has 50 now"


def test_weights_are_compared_by_name_shape_and_bit() -> None:
    one = {"a": torch.tensor([1.0, 2.0]), "b": torch.zeros(3), "count": torch.tensor(5)}
    assert compare_weights("w", one, {name: tensor.clone() for name, tensor in one.items()}).same
    moved = compare_weights("w", one, {**one, "a": torch.tensor([1.0, 2.25])})
    assert (moved.same, moved.detail) == (False, "1 of 3 tensors differ, by 0.25 at the most")
    assert not compare_weights("w", one, {**one, "b": torch.zeros(4)}).same
    assert not compare_weights("w", one, {"a": one["a"]}).same
    unlike = compare_weights("w", one, {**one, "a": torch.tensor([1.0, torch.nan])})
    assert not unlike.same


def test_logs_are_compared_number_by_number_but_for_the_time() -> None:
    def line(step: int, **numbers: float) -> dict[str, Any]:
        return {"step": step, "seconds": numbers.pop("seconds", 1.0), "terms": {"loss": 0.5}, "validators": numbers}

    lines = [line(2, entropy=-1.0, snd=float("nan")), line(4, entropy=-0.5, snd=2.0)]
    assert compare_lines(lines, [line(2, seconds=9.0, entropy=-1.0, snd=float("nan"), new=3.0), lines[1]]).same
    found = compare_lines(lines, [lines[0], line(4, entropy=-0.25, snd=2.0)])
    assert found.detail == ("1 of 8 numbers differ, first at step 4: validators.entropy -0.5 recorded, -0.25 now")
    assert compare_lines(lines, [lines[0], line(4, entropy=-0.5)]).detail.endswith(
        "validators.snd 2.0 recorded, None now"
    )
    assert not compare_lines(lines, lines[:1]).same


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda r: (r / "run.json").unlink(), "no run folder"),
        (lambda r: (r / "result.json").unlink(), "is not finished"),
        (lambda r: (r / "metrics.jsonl").unlink(), r"metrics\.jsonl: is missing"),
        (lambda r: (r / "result.json").write_text("{"), "cannot be read as JSON"),
        (lambda r: (r / "metrics.jsonl").write_text("{\n"), "cannot be read as JSON lines"),
        (lambda r: cut(r / "predictions.npz"), "cannot be read as the predictions"),
        (lambda r: (r / "predictions.npz").write_bytes(b"none"), "cannot be read as the predictions"),
        (lambda r: (r / "checkpoint.pt").write_bytes(b"none"), "truncated or not a checkpoint"),
        (lambda r: edit(r / "run.json", lambda v: v.update(config_hash="0")), "put the files of one run together"),
    ],
)
def test_a_damaged_folder_is_refused_in_one_sentence(run: Path, damage: Callable[[Path], object], words: str) -> None:
    damage(run)
    with pytest.raises(UserError, match=words) as caught:
        read_stored_run(run)
    assert str(run) in str(caught.value)

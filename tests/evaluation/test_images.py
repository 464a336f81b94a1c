"""Any split of any domain, through the networks of either side."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.evaluation.examples import CLASSES, write_shapes
from uda.data.augmentation import to_float
from uda.data.domains import find_domain, load_split
from uda.data.protocols import load_task
from uda.errors import UserError
from uda.evaluation.classify import classify
from uda.evaluation.images import Choice, Side
from uda.training.checkpoint import load_model


def reclassed(path: Path, name: str, order: list[int], names: tuple[str, ...] = CLASSES) -> str:
    """A copy of a domain whose classes stand in another order, or have other names."""
    with np.load(path) as file:
        arrays: dict[str, Any] = dict(file)
    for split in ("train", "test"):
        arrays[f"{split}_labels"] = np.argsort(order)[arrays[f"{split}_labels"]]
    arrays["class_names"] = np.array([names[k] for k in order])
    np.savez(path.with_name(name), **arrays)
    return f"npz:{path.with_name(name)}"


@pytest.mark.parametrize(
    ("domain", "side", "as_side"),
    [
        ("source", None, "source"),
        ("source", "target", "target"),
        ("target", None, "target"),
        ("target", "source", "source"),
    ],
)
@pytest.mark.parametrize("split", ["train", "test"])
def test_own_domains_go_through_the_networks_of_either_side(
    unit_run: Path, tmp_path: Path, domain: str, side: Side | None, as_side: str, split: str
) -> None:
    checkpoint = unit_run / "checkpoint.pt"
    method, loaded = load_model(checkpoint)
    config = loaded.config
    name = {"source": config.source, "target": config.target}[domain]
    found = classify(checkpoint, "last", tmp_path, Choice(name, split, side))
    task = load_task(config.protocol, config.source, config.target, tmp_path)
    images = {
        ("source", "train"): task.source_train.images,
        ("source", "test"): task.source_val.images,
        ("target", "train"): task.target_train,
        ("target", "test"): task.target_test.images,
    }[domain, split]
    assert torch.equal(found.labels, load_split(find_domain(name), split, tmp_path).labels)
    with torch.no_grad():
        predict = method.predict_source if as_side == "source" else method.predict
        assert torch.allclose(found.logits, predict(to_float(images)), atol=1e-4)
        other = method.predict if as_side == "source" else method.predict_source
        assert not torch.allclose(found.logits, other(to_float(images)), atol=1e-3)


def test_the_default_is_the_runs_target_test(unit_run: Path, tmp_path: Path) -> None:
    checkpoint = unit_run / "checkpoint.pt"
    default = classify(checkpoint, "last", tmp_path)
    config = default.loaded.config
    same = classify(checkpoint, "last", tmp_path, Choice(config.target, "test"))
    assert default.chosen.headline
    assert same.chosen.headline
    assert torch.equal(default.logits, same.logits)
    for choice in (Choice(config.source), Choice(split="train"), Choice(side="source")):
        assert not classify(checkpoint, "last", tmp_path, choice).chosen.headline


def test_validators_see_the_sources_test_split(unit_run: Path, tmp_path: Path) -> None:
    checkpoint = unit_run / "checkpoint.pt"
    source = load_model(checkpoint)[1].config.source
    logits = [classify(checkpoint, "last", tmp_path, Choice(source, split)).logits for split in ("val", "test")]
    assert torch.equal(*logits)


def test_another_domain_takes_the_size_and_channels_of_a_side(source_only_run: Path, tmp_path: Path) -> None:
    checkpoint = source_only_run / "checkpoint.pt"
    other = write_shapes(tmp_path / "small.npz", colour=False, seed=3)  # 16x16 grey, where the run has 32x32 RGB
    found = classify(checkpoint, "last", tmp_path, Choice(other, "train"))
    assert found.chosen.split.images.shape == (48, 3, 32, 32)
    assert (found.chosen.side, found.chosen.notes) == ("target", ())
    assert found.logits.shape == (48, 3)


def test_classes_in_another_order_are_the_same_classes(unit_run: Path, tmp_path: Path) -> None:
    checkpoint = unit_run / "checkpoint.pt"
    path = tmp_path / "other.npz"
    plain = classify(checkpoint, "last", tmp_path, Choice(write_shapes(path, colour=True, seed=4)))
    shuffled = classify(checkpoint, "last", tmp_path, Choice(reclassed(path, "shuffled.npz", [2, 0, 1])))
    assert shuffled.chosen.split.class_names == CLASSES
    assert torch.equal(plain.labels, shuffled.labels)
    assert torch.equal(plain.correct, shuffled.correct)


def test_other_classes_and_unknown_splits_are_errors(unit_run: Path, tmp_path: Path) -> None:
    checkpoint = unit_run / "checkpoint.pt"
    path = tmp_path / "other.npz"
    write_shapes(path, colour=True, seed=4)
    stars = reclassed(path, "stars.npz", [0, 1, 2], ("circle", "cross", "star"))
    with pytest.raises(UserError, match=r"on the classes circle, cross, square, but .*stars.npz has circle, .*; give"):
        classify(checkpoint, "last", tmp_path, Choice(stars))
    with pytest.raises(UserError, match=r"unknown split of .* 'val'.* known are test, train"):
        classify(checkpoint, "last", tmp_path, Choice(split="val"))
    with pytest.raises(UserError, match="unknown domain 'minst': did you mean 'mnist'"):
        classify(checkpoint, "last", tmp_path, Choice("minst"))


def test_a_sample_that_lacks_a_class_says_how_to_name_it(unit_run: Path, tmp_path: Path) -> None:
    checkpoint = unit_run / "checkpoint.pt"
    sample = tmp_path / "sample"
    for name in CLASSES[:2]:
        (sample / "test" / name).mkdir(parents=True)
        Image.new("RGB", (16, 16), (len(name), 0, 0)).save(sample / "test" / name / "0.png")
    lacking = r"sample has circle, cross; an empty class folder is enough for what has no image here \(square\)$"
    with pytest.raises(UserError, match=lacking):
        classify(checkpoint, "last", tmp_path, Choice(f"folder:{sample}"))
    (sample / "test" / "square").mkdir()
    assert len(classify(checkpoint, "last", tmp_path, Choice(f"folder:{sample}")).labels) == 2
    images = np.zeros((2, 16, 16, 3), np.uint8)
    np.savez(tmp_path / "two.npz", train_images=images, train_labels=[0, 1], test_images=images, test_labels=[0, 1])
    np.savez(tmp_path / "few.npz", **dict(np.load(tmp_path / "two.npz")), class_names=np.array(CLASSES[:2]))
    with pytest.raises(UserError, match=r"few\.npz has circle, cross; give class_names with all .* \(square\)$"):
        classify(checkpoint, "last", tmp_path, Choice(f"npz:{tmp_path / 'few.npz'}"))
    with pytest.raises(UserError, match=r"two\.npz has 0, 1; give data of the classes that it was trained on"):
        classify(checkpoint, "last", tmp_path, Choice(f"npz:{tmp_path / 'two.npz'}"))

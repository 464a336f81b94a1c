"""Protocols: counts, sizes, channels, subsets, inversion, balance; target training labels stay behind their door."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as transforms

from tests.data.conftest import digits, pixels, write_idx, write_usps_hdf5
from uda.data.domains import Domain, Split, find_domain, load_split
from uda.data.folder import MIXED_SIZE
from uda.data.protocols import (
    COLOUR_SIZE,
    PROTOCOLS,
    TaskData,
    find_protocol,
    load_task,
    parted,
    subset_index,
    target_training_labels,
)
from uda.data.shaping import resize
from uda.errors import UserError


def shapes(task: TaskData) -> list[tuple[int, ...]]:
    parts = (task.source_train.images, task.source_val.images, task.target_train, task.target_test.images)
    assert all(part.dtype == torch.uint8 and part.is_contiguous() for part in parts)
    return [tuple(part.shape) for part in parts]


@pytest.mark.parametrize(
    ("protocol", "source", "target", "expected"),
    [
        ("standard", "mnist", "usps", [(40, 1, 28), (12, 1, 28), (30, 1, 28), (11, 1, 28)]),
        ("standard", "usps-esl", "mnist", [(30, 1, 28), (11, 1, 28), (40, 1, 28), (12, 1, 28)]),
        ("standard", "svhn", "mnist", [(26, 3, 32), (13, 3, 32), (40, 3, 32), (12, 3, 32)]),
        ("standard", "mnist", "mnistm", [(40, 3, 32), (12, 3, 32), (14, 3, 32), (8, 3, 32)]),
        ("standard", "syndigits", "svhn", [(26, 3, 32), (13, 3, 32), (26, 3, 32), (13, 3, 32)]),
        ("standard-64", "mnist", "usps", [(40, 1, 64), (12, 1, 64), (30, 1, 64), (11, 1, 64)]),
        ("standard-64", "svhn", "mnist", [(26, 3, 64), (13, 3, 64), (40, 3, 64), (12, 3, 64)]),
        ("unit-2017", "svhn", "mnist", [(33, 3, 32), (13, 3, 32), (80, 1, 32), (12, 1, 32)]),
        ("unit-2017", "mnist", "usps", [(40, 1, 28), (12, 1, 28), (30, 1, 28), (11, 1, 28)]),
        ("unit-2017", "usps-esl", "mnist", [(30, 1, 28), (11, 1, 28), (40, 1, 28), (12, 1, 28)]),
        ("unit-2017-train", "svhn", "mnist", [(26, 3, 32), (13, 3, 32), (80, 1, 32), (12, 1, 32)]),
        ("embedded", "mnistm", "usps", [(14, 1, 16), (8, 1, 16), (30, 1, 16), (11, 1, 16)]),
        ("embedded", "optdigits", "mnist", [(1200, 1, 16), (597, 1, 16), (40, 1, 16), (12, 1, 16)]),
    ],
)
def test_counts_channels_and_sizes(
    root: Path, protocol: str, source: str, target: str, expected: list[tuple[int, int, int]]
) -> None:
    task = load_task(protocol, source, target, root)
    assert shapes(task) == [(count, channels, size, size) for count, channels, size in expected]
    assert task.class_names == tuple("0123456789")
    assert len(target_training_labels(protocol, target, source, root)) == len(task.target_train)


def test_standard_is_the_released_pixels_resized(root: Path) -> None:
    task = load_task("standard", "mnist", "usps", root)
    released = load_split(find_domain("mnist"), "train", root)
    assert torch.equal(task.source_train.images, released.images)
    assert torch.equal(task.source_train.labels, released.labels)
    usps = load_split(find_domain("usps"), "train", root)
    assert torch.equal(task.target_train, resize(usps.images, 28))
    assert torch.equal(target_training_labels("standard", "usps", "mnist", root), usps.labels)


def test_unit_2017_inverts_after_nearest_neighbour(root: Path) -> None:
    task = load_task("unit-2017-train", "svhn", "mnist", root)
    released = load_split(find_domain("mnist"), "train", root)
    place = torch.arange(32) * 28 // 32  # what cv2 and torch call nearest: the index is cut off
    plain = released.images[:, :, place][:, :, :, place]
    assert torch.equal(task.target_train[:40], plain)
    assert torch.equal(task.target_train[40:], 255 - plain)
    assert torch.equal(target_training_labels("unit-2017-train", "mnist", "svhn", root), released.labels.repeat(2))
    test = load_split(find_domain("mnist"), "test", root)
    assert torch.equal(task.target_test.images, test.images[:, :, place][:, :, :, place])


def test_unit_2017_needs_svhn_extra(root: Path) -> None:
    (root / "SVHN" / "extra_32x32.mat").unlink()
    with pytest.raises(UserError, match=r"extra_32x32\.mat does not exist.*uda data prepare svhn --split extra"):
        load_task("unit-2017", "svhn", "mnist", root)
    assert len(load_task("unit-2017-train", "svhn", "mnist", root).source_train) == 26


def test_cogan_small_draws_with_numpys_seed_0(root: Path, rng: np.random.Generator) -> None:
    raw = root / "MNIST" / "raw"
    with pytest.raises(UserError, match=r"draws 2,000 training images of mnist, which has 40 here"):
        load_task("cogan-small", "mnist", "usps-esl", root)
    write_idx(raw / "train-images-idx3-ubyte", pixels(rng, 2100, 28, 28))
    write_idx(raw / "train-labels-idx1-ubyte", digits(rng, 2100))
    with pytest.raises(UserError, match=r"draws 1,800 training images of usps, which has 30 here"):
        load_task("cogan-small", "mnist", "usps", root)

    order = np.arange(2100)
    np.random.RandomState(0).shuffle(order)  # as CoGAN's PyTorch code draws
    assert np.array_equal(subset_index(2100, 2000).numpy(), order[:2000])
    write_usps_hdf5(root / "USPS" / "usps.h5", rng, {"train": 1900, "test": 11})
    task = load_task("cogan-small", "mnist", "usps-esl", root)
    assert shapes(task) == [(2000, 1, 28, 28), (12, 1, 28, 28), (1800, 1, 28, 28), (11, 1, 28, 28)]
    released = load_split(find_domain("mnist"), "train", root)
    assert torch.equal(task.source_train.images, released.images[order[:2000]])
    assert torch.equal(task.source_train.labels, released.labels[order[:2000]])
    usps = load_split(find_domain("usps-esl"), "train", root)
    drawn = subset_index(1900, 1800)
    assert torch.equal(task.target_train, resize(usps.images[drawn], 28))
    assert torch.equal(target_training_labels("cogan-small", "usps-esl", "mnist", root), usps.labels[drawn])


@pytest.mark.parametrize("name", ["usps", "usps-esl"])
def test_cogan_full_parts_all_of_usps_anew(root: Path, rng: np.random.Generator, name: str) -> None:
    with pytest.raises(UserError, match=r"trains on 7,438 usps-esl images and tests on others; there are 41"):
        load_task("cogan-full", "mnist", "usps-esl", root)
    rules = dataclasses.replace(find_protocol("cogan-full"), redrawn=((name, 33),))
    released = [load_split(find_domain(name), split, root) for split in ("train", "test")]
    images = torch.cat([part.images for part in released])
    labels = torch.cat([part.labels for part in released])
    order = np.random.RandomState(0).permutation(41)
    for split, index in (("train", order[:33]), ("test", order[33:])):
        part = parted(rules, find_domain(name), split, root)
        assert torch.equal(part.images, images[index])
        assert torch.equal(part.labels, labels[index])
        assert part.files == tuple(dict.fromkeys(released[0].files + released[1].files))


def test_cogan_full_tests_on_no_image_that_it_trains_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pixel of USPS here holds the number of its image, so that the four parts of a task can be told apart."""
    rules = dataclasses.replace(find_protocol("cogan-full"), redrawn=(("usps-esl", 33),), size=16)
    monkeypatch.setitem(PROTOCOLS, "cogan-full", rules)

    def numbered(domain: Domain, split: str, data_root: Path) -> Split:
        loaded = load_split(domain, split, data_root)
        first = 0 if split == "train" or domain.name != "usps-esl" else 30
        number = torch.arange(first, first + len(loaded), dtype=torch.uint8)
        return dataclasses.replace(loaded, images=number[:, None, None, None].expand(-1, 1, 16, 16).contiguous())

    monkeypatch.setattr("uda.data.protocols.load_split", numbered)
    there = load_task("cogan-full", "mnist", "usps-esl", root)
    back = load_task("cogan-full", "usps-esl", "mnist", root)
    train, test = (set(part[:, 0, 0, 0].tolist()) for part in (there.target_train, there.target_test.images))
    assert (len(train), len(test)) == (33, 8)
    assert train | test == set(range(41))
    assert torch.equal(back.source_train.images, there.target_train)
    assert torch.equal(back.source_val.images, there.target_test.images)
    assert torch.equal(back.source_train.labels, target_training_labels("cogan-full", "usps-esl", "mnist", root))


def test_cogan_padded_frames_usps_alone_and_parts_it_as_cogan_full_does(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cogan-full", "cogan-padded"):
        monkeypatch.setitem(PROTOCOLS, name, dataclasses.replace(find_protocol(name), redrawn=(("usps-esl", 33),)))
    tight, padded = (load_task(name, "mnist", "usps-esl", root) for name in ("cogan-full", "cogan-padded"))
    assert torch.equal(padded.source_train.images, tight.source_train.images)
    assert torch.equal(padded.target_test.labels, tight.target_test.labels)
    for split, images in (("train", padded.target_train), ("test", padded.target_test.images)):
        released = parted(find_protocol("cogan-padded"), find_domain("usps-esl"), split, root).images
        framed = resize(transforms.pad(released, [3]), 28)
        assert torch.equal(images, framed)
        assert not images[:, :, :3].any()
        assert images[:, :, 8:20, 8:20].any()
    back = load_task("cogan-padded", "usps-esl", "mnist", root)
    assert torch.equal(back.source_train.images, padded.target_train)
    assert torch.equal(back.target_test.images, load_task("cogan-full", "usps-esl", "mnist", root).target_test.images)


def test_balanced_source_has_equal_classes_and_the_target_is_left(root: Path) -> None:
    plain = load_task("standard", "svhn", "mnist", root)
    balanced = load_task("standard-balanced", "svhn", "mnist", root)
    counts = torch.bincount(balanced.source_train.labels)
    assert counts.tolist() == [int(torch.bincount(plain.source_train.labels).max())] * 10
    assert torch.equal(balanced.source_train.images[:26], plain.source_train.images)
    assert torch.equal(balanced.target_train, plain.target_train)
    again = load_task("standard-balanced", "svhn", "mnist", root)
    assert torch.equal(balanced.source_train.images, again.source_train.images)


def tensors(value: Any) -> list[Tensor]:
    """Every tensor that can be reached from a value through fields, attributes and containers."""
    if isinstance(value, Tensor):
        return [value, *tensors(vars(value))]
    if dataclasses.is_dataclass(value):
        return [found for field in dataclasses.fields(value) for found in tensors(getattr(value, field.name))]
    if isinstance(value, dict):
        return [found for inner in value.values() for found in tensors(inner)]
    if isinstance(value, (tuple, list)):
        return [found for inner in value for found in tensors(inner)]
    return []


def test_target_training_labels_cannot_be_reached_from_the_task(root: Path) -> None:
    task = load_task("standard", "mnist", "usps", root)
    labels = [tensor for tensor in tensors(task) if tensor.dtype != torch.uint8]
    assert [len(tensor) for tensor in labels] == [40, 12, 11]  # source train and test, target test; not the 30
    assert type(task.target_train) is Tensor


def test_target_images_do_not_depend_on_target_labels(root: Path, rng: np.random.Generator) -> None:
    before = load_task("unit-2017-train", "svhn", "mnist", root)
    write_idx(root / "MNIST" / "raw" / "train-labels-idx1-ubyte", digits(rng, 40))
    after = load_task("unit-2017-train", "svhn", "mnist", root)
    assert before.files != after.files
    assert torch.equal(before.target_train, after.target_train)


def test_every_file_is_recorded_once_and_notes_are_kept(root: Path) -> None:
    task = load_task("standard", "svhn", "usps-esl", root)
    assert [file.name for file in task.files] == ["SVHN/train_32x32.mat", "SVHN/test_32x32.mat", "USPS/usps.h5"]
    assert "svhn test: 13 of 26,032, file unverified" in task.notes
    assert len(set(task.notes)) == len(task.notes)


def own(path: Path, names: list[str]) -> str:
    labels = np.arange(len(names))
    images = np.zeros((len(names), 8, 8), dtype=np.uint8)
    np.savez(
        path,
        train_images=images,
        train_labels=labels,
        test_images=images,
        test_labels=labels,
        class_names=np.array(names),
    )
    return f"npz:{path}"


def test_a_domain_that_lacks_a_class_is_told_how_to_name_it(tmp_path: Path) -> None:
    source, target = own(tmp_path / "a.npz", ["0", "1", "2"]), own(tmp_path / "b.npz", ["0", "1"])
    with pytest.raises(UserError) as caught:
        load_task("standard", source, target, tmp_path)
    said = f"(only in {source}: 2); where {target} has no image of a class, give class_names with all of them"
    assert str(caught.value).endswith(said)


def test_differing_classes_are_named(tmp_path: Path) -> None:
    source, target = own(tmp_path / "a.npz", ["cat", "dog", "ox"]), own(tmp_path / "b.npz", ["cat", "dog", "elk"])
    with pytest.raises(UserError, match=r"same classes \(only in npz:.*a\.npz: ox; only in npz:.*b\.npz: elk\)"):
        load_task("standard", source, target, tmp_path)


def test_classes_in_another_order_are_brought_to_the_sources(tmp_path: Path) -> None:
    source, target = own(tmp_path / "a.npz", ["cat", "dog", "ox"]), own(tmp_path / "b.npz", ["ox", "cat", "dog"])
    task = load_task("standard", source, target, tmp_path)
    assert task.class_names == task.target_test.class_names == ("cat", "dog", "ox")
    assert task.target_test.labels.tolist() == [2, 0, 1]
    assert target_training_labels("standard", target, source, tmp_path).tolist() == [2, 0, 1]


def test_unknown_protocols_and_pairs_are_refused(root: Path) -> None:
    with pytest.raises(UserError, match="unknown protocol 'standart': did you mean 'standard'"):
        load_task("standart", "mnist", "usps", root)
    with pytest.raises(UserError, match=r"protocol 'cogan-small' is not defined for svhn->mnist, only for mnist->usps"):
        load_task("cogan-small", "svhn", "mnist", root)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocols_say_what_they_are_and_are_frozen(name: str) -> None:
    protocol = find_protocol(name)
    assert protocol.describe() == f"protocol {name}: {protocol.description}"
    with pytest.raises(dataclasses.FrozenInstanceError):
        protocol.size = 64  # type: ignore[misc]


def test_photographs_are_kept_as_large_as_any_protocol_needs_them() -> None:
    assert max(protocol.size or COLOUR_SIZE for protocol in PROTOCOLS.values()) == MIXED_SIZE

"""The real digits, where $UDA_DATA points to them: counts, checksums and pixels that are known of them."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import datasets

from uda.data.domains import Split, find_domain, load_split
from uda.data.inventory import presence
from uda.data.protocols import load_task

USPS_TRAIN_COUNTS = [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644]
USPS_TEST_COUNTS = [359, 264, 198, 166, 200, 160, 170, 147, 166, 177]


@pytest.fixture
def real_root() -> Path:
    given = os.environ.get("UDA_DATA", "")
    if not given or not Path(given).is_dir():
        pytest.skip("UDA_DATA does not name a folder of real data")
    return Path(given)


def load(name: str, split: str, root: Path) -> Split:
    missing = presence(find_domain(name), split, root).missing
    if missing is not None:
        pytest.skip(f"{missing} is not there")
    return load_split(find_domain(name), split, root)


def test_mnist_is_the_published_content(real_root: Path) -> None:
    split = load("mnist", "test", real_root)
    assert len(split) == 10_000
    assert all(file.verified for file in split.files)
    assert split.note == ""


def test_usps_equals_torchvision(real_root: Path) -> None:
    split = load("usps", "test", real_root)
    theirs = datasets.USPS(real_root / "USPS", train=False)
    assert np.array_equal(split.images[:, 0].numpy(), theirs.data)
    assert split.labels.tolist() == theirs.targets
    assert split.files[0].verified


def test_both_forms_of_usps_have_one_label_sequence_and_other_pixels(real_root: Path) -> None:
    libsvm, esl = load("usps", "test", real_root), load("usps-esl", "test", real_root)
    assert torch.equal(libsvm.labels, esl.labels)
    assert not torch.equal(libsvm.images, esl.images)
    assert torch.bincount(esl.labels).tolist() == USPS_TEST_COUNTS
    assert torch.bincount(load("usps-esl", "train", real_root).labels).tolist() == USPS_TRAIN_COUNTS


def test_svhn_test_is_official_or_says_what_it_is(real_root: Path) -> None:
    split = load("svhn", "test", real_root)
    pixels = split.images.permute(0, 2, 3, 1).contiguous().numpy().tobytes()
    if len(split) == 10_000:
        assert hashlib.md5(pixels).hexdigest() == "baa33556c0a057545047bfaa3001ef5f"
        assert split.note == "svhn test: first 10,000 of 26,032, file unverified"
    else:
        assert len(split) == 26_032
        assert split.note == ""


def test_cogan_full_on_real_digits(real_root: Path) -> None:
    load("usps-esl", "test", real_root)
    task = load_task("cogan-full", "mnist", "usps-esl", real_root)
    assert (len(task.target_train), len(task.target_test)) == (7438, 1860)
    assert task.notes == ()
    standard = load_task("standard", "mnist", "usps-esl", real_root)
    released = torch.cat([standard.target_train, standard.target_test.images]).flatten(1).sum(1, dtype=torch.int64)
    parted = torch.cat([task.target_train, task.target_test.images]).flatten(1).sum(1, dtype=torch.int64)
    assert torch.equal(parted.sort().values, released.sort().values)  # each of the 9,298 images once


def test_margins_make_usps_digits_as_large_as_mnists(real_root: Path) -> None:
    """The mean digits of both, compared as CoGAN's authors compared them."""
    load("mnist", "test", real_root)
    load("usps-esl", "test", real_root)
    tight, padded = (load_task(name, "mnist", "usps-esl", real_root) for name in ("cogan-full", "cogan-padded"))
    mnist = tight.source_train.images.float().mean(0)
    apart = [float((task.target_train.float().mean(0) - mnist).square().mean()) for task in (tight, padded)]
    assert apart[1] < apart[0] / 8


def test_cogan_small_on_real_digits(real_root: Path) -> None:
    load("mnist", "test", real_root)
    load("usps-esl", "test", real_root)
    task = load_task("cogan-small", "mnist", "usps-esl", real_root)
    assert (len(task.source_train), len(task.target_train), len(task.target_test)) == (2000, 1800, 2007)
    assert task.target_train.shape[1:] == (1, 28, 28)
    assert task.notes == ()

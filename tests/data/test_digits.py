"""Digit data sets: pixel for pixel what torchvision reads, and one sentence for every file that is wrong."""

import gzip
import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision import datasets

from uda.data.domains import DOMAINS, Split, find_domain, load_split
from uda.errors import UserError

FILES = {
    ("mnist", "train"): "MNIST/raw/train-images-idx3-ubyte",
    ("mnist", "test"): "MNIST/raw/t10k-labels-idx1-ubyte",
    ("usps", "train"): "USPS/usps.bz2",
    ("usps", "test"): "USPS/usps.t.bz2",
    ("usps-esl", "train"): "USPS/usps.h5",
    ("usps-cogan", "train"): "USPS/usps_28x28.pkl",
    ("svhn", "train"): "SVHN/train_32x32.mat",
    ("svhn", "extra"): "SVHN/extra_32x32.mat",
    ("syndigits", "test"): "SynDigits/synth_test_32x32.mat",
    ("mnistm", "train"): "mnist_m/mnist_m_train_labels.txt",
    ("mnistm", "test"): "mnist_m/mnist_m_test/00000003.png",
}


def load(name: str, split: str, root: Path) -> Split:
    return load_split(find_domain(name), split, root)


def assert_digits(split: Split, count: int, channels: int, size: int) -> None:
    assert split.images.shape == (count, channels, size, size)
    assert split.images.dtype == torch.uint8
    assert split.labels.dtype == torch.int64
    assert split.labels.shape == (count,)
    assert split.class_names == tuple("0123456789")


@pytest.mark.parametrize(("split", "count"), [("train", 40), ("test", 12)])
def test_mnist_equals_torchvision(root: Path, split: str, count: int) -> None:
    ours = load("mnist", split, root)
    theirs = datasets.MNIST(root, train=split == "train")
    assert_digits(ours, count, 1, 28)
    assert torch.equal(ours.images[:, 0], theirs.data)
    assert torch.equal(ours.labels, theirs.targets)


def test_mnist_packed_is_read_where_only_that_is_there(root: Path) -> None:
    plain = load("mnist", "train", root)
    for path in (root / "MNIST" / "raw").iterdir():
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    packed = load("mnist", "train", root)
    assert torch.equal(packed.images, plain.images)
    assert [file.name for file in packed.files] == [file.name + ".gz" for file in plain.files]
    assert [file.checksum for file in packed.files] == [file.checksum for file in plain.files]


@pytest.mark.parametrize(("split", "count"), [("train", 30), ("test", 11)])
def test_usps_equals_torchvision(root: Path, split: str, count: int) -> None:
    ours = load("usps", split, root)
    theirs = datasets.USPS(root / "USPS", train=split == "train")
    assert_digits(ours, count, 1, 16)
    assert np.array_equal(ours.images[:, 0].numpy(), theirs.data)
    assert ours.labels.tolist() == theirs.targets


def test_usps_esl_rounds_to_the_nearest_grey_level(root: Path) -> None:
    ours = load("usps-esl", "train", root)
    with h5py.File(root / "USPS" / "usps.h5") as file:
        values, labels = np.asarray(file["train/data"]), np.asarray(file["train/target"])
    assert_digits(ours, 30, 1, 16)
    assert np.abs(ours.images.numpy().reshape(-1, 256) - 255.0 * values).max() <= 0.5
    assert np.array_equal(ours.labels.numpy(), labels)


@pytest.mark.parametrize(("split", "count"), [("train", 30), ("test", 11)])
def test_usps_cogan_rounds_a_pickle_of_python_2_to_the_nearest_grey_level(root: Path, split: str, count: int) -> None:
    ours = load("usps-cogan", split, root)
    content = gzip.decompress((root / "USPS" / "usps_28x28.pkl").read_bytes())
    assert b"cnumpy.core.multiarray\n_reconstruct\n" in content
    parts = pickle.loads(content, encoding="latin1")  # noqa: S301 - written above
    values, labels = parts[["train", "test"].index(split)]
    assert_digits(ours, count, 1, 28)
    assert np.abs(ours.images.numpy() - 255.0 * values).max() <= 0.5
    assert np.array_equal(ours.labels.numpy(), labels)
    assert ours.note == f"usps-cogan {split}: {count} of {'7,438' if split == 'train' else '1,860'}, file unverified"


def test_a_pickle_that_would_call_something_is_refused_and_calls_nothing(root: Path, tmp_path: Path) -> None:
    class Calls:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "called",)

    path = root / "USPS" / "usps_28x28.pkl"
    path.write_bytes(gzip.compress(pickle.dumps([[Calls(), np.zeros(3)], [Calls(), np.zeros(3)]])))
    with pytest.raises(UserError, match=r"usps_28x28\.pkl is not a readable gzip-packed pickle of USPS: it asks for "):
        load("usps-cogan", "train", root)
    assert not (tmp_path / "called").exists()
    pickle.loads(gzip.decompress(path.read_bytes()))  # noqa: S301 - this one may
    assert (tmp_path / "called").exists()


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (
            np.zeros((3, 28, 28), np.float32),
            r"the train images are float32 of shape \(3, 28, 28\), not \(N, 1, 28, 28\)",
        ),
        (np.zeros((3, 1, 28, 28), np.uint8), r"the train images are uint8 of shape"),
        (np.full((3, 1, 28, 28), 1.5), r"the train images hold values outside 0\.\.1"),
        (np.zeros((4, 1, 28, 28)), r"holds 3 labels for 4 images"),
    ],
)
def test_a_pickle_of_other_arrays_is_named(root: Path, images: NDArray[Any], sentence: str) -> None:
    path = root / "USPS" / "usps_28x28.pkl"
    path.write_bytes(gzip.compress(pickle.dumps([[images, np.zeros(3, np.int64)]] * 2)))
    with pytest.raises(UserError, match=sentence):
        load("usps-cogan", "train", root)


@pytest.mark.parametrize(("split", "count"), [("train", 26), ("extra", 33), ("test", 13)])
def test_svhn_equals_torchvision(root: Path, split: str, count: int) -> None:
    path = root / "SVHN" / f"{split}_32x32.mat"

    class Trusting(datasets.SVHN):  # type: ignore[misc]
        """torchvision's reader, told the checksum of this file."""

        split_list = {split: ["", path.name, hashlib.md5(path.read_bytes()).hexdigest()]}  # noqa: RUF012

    ours, theirs = load("svhn", split, root), Trusting(path.parent, split)
    assert_digits(ours, count, 3, 32)
    assert np.array_equal(ours.images.numpy(), theirs.data)
    assert np.array_equal(ours.labels.numpy(), theirs.labels)
    assert 0 in ours.labels


def test_syndigits_keep_the_label_zero(root: Path) -> None:
    split = load("syndigits", "train", root)
    assert_digits(split, 26, 3, 32)
    assert sorted(set(split.labels.tolist())) == list(range(10))


def test_mnistm_are_the_png_files_in_the_order_of_the_labels_file(root: Path) -> None:
    split = load("mnistm", "train", root)
    assert_digits(split, 14, 3, 32)
    lines = (root / "mnist_m" / "mnist_m_train_labels.txt").read_text().splitlines()
    for image, label, line in zip(split.images, split.labels, lines, strict=True):
        name, digit = line.split()
        pixels = np.asarray(Image.open(root / "mnist_m" / "mnist_m_train" / name))
        assert np.array_equal(image.numpy(), pixels.transpose(2, 0, 1))
        assert int(digit) == label


def test_mnistm_comes_from_the_cache_until_the_listing_changes(root: Path) -> None:
    folder = root / "mnist_m" / "mnist_m_train"
    first = load("mnistm", "train", root)
    png = folder / "00000000.png"
    png.write_bytes(bytes(png.stat().st_size))  # same name and size: by its listing the folder did not change
    assert torch.equal(load("mnistm", "train", root).images, first.images)

    labels = folder.with_name("mnist_m_train_labels.txt")
    labels.write_text(labels.read_text() + "00000001.png 5\n")
    with pytest.raises(UserError, match=r"00000000\.png is not a readable PNG file"):
        load("mnistm", "train", root)


def test_mnistm_is_read_without_a_cache_where_none_can_be_written(root: Path) -> None:
    (root / ".cache").write_text("in the way")
    assert len(load("mnistm", "test", root)) == 8
    assert (root / ".cache").read_text() == "in the way"


@pytest.mark.parametrize(("name", "split"), FILES)
def test_missing_file_is_named_with_what_mends_it(root: Path, name: str, split: str) -> None:
    path = root / FILES[name, split]
    path.unlink()
    with pytest.raises(UserError) as error:
        load(name, split, root)
    message = str(error.value)
    assert str(path) in message
    assert "does not exist" in message
    downloadable = DOMAINS[name].prepare is not None
    extra = " --split extra" if split == "extra" else ""
    assert (f"`uda data prepare {name}{extra} --data-root {root}`" if downloadable else "http") in message
    assert "\n" not in message


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def replaced(content: bytes) -> bytes:
    return b"<html>404</html>"


def emptied(content: bytes) -> bytes:
    return b""


@pytest.mark.parametrize(
    ("name", "split", "damage"),
    [
        (name, split, damage)
        for (name, split), file in FILES.items()
        for damage in (cut, replaced, emptied)
        # Half a list, and an empty one, are lists: see the tests below.
        if not file.endswith(".txt") or damage is replaced
    ],
)
def test_damaged_file_is_named_in_one_sentence(
    root: Path, name: str, split: str, damage: Callable[[bytes], bytes]
) -> None:
    path = root / FILES[name, split]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError) as error:
        load(name, split, root)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_truncated_gzip_is_named(root: Path) -> None:
    path = root / "MNIST" / "raw" / "train-images-idx3-ubyte"
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes())[:-20])
    path.unlink()
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte\.gz is not a readable idx file"):
        load("mnist", "train", root)


def test_empty_split_is_an_error(root: Path) -> None:
    (root / "mnist_m" / "mnist_m_test_labels.txt").write_text("")
    with pytest.raises(UserError, match="mnistm test holds no image"):
        load("mnistm", "test", root)


def test_half_a_list_of_labels_is_read_and_noted(root: Path) -> None:
    path = root / "mnist_m" / "mnist_m_train_labels.txt"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:9]))
    assert load("mnistm", "train", root).note == "mnistm train: 9 of 59,001, file unverified"


def test_labels_must_be_as_many_as_images(root: Path) -> None:
    raw = root / "MNIST" / "raw"
    (raw / "train-labels-idx1-ubyte").write_bytes((raw / "t10k-labels-idx1-ubyte").read_bytes())
    with pytest.raises(UserError, match=r"train-labels-idx1-ubyte holds 12 labels for 40 images"):
        load("mnist", "train", root)


def test_labels_must_be_digits(root: Path) -> None:
    path = root / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\x0b")
    with pytest.raises(UserError, match=r"train-labels-idx1-ubyte holds labels that are not the digits"):
        load("mnist", "train", root)


def test_hdf5_without_its_arrays_is_named(root: Path) -> None:
    path = root / "USPS" / "usps.h5"
    with h5py.File(path, "w") as file:
        file["something"] = np.zeros(3)
    with pytest.raises(UserError, match=r"usps\.h5 has no 'test/data'"):
        load("usps-esl", "test", root)


def test_png_of_another_size_is_named(root: Path) -> None:
    Image.new("RGB", (28, 30)).save(root / "mnist_m" / "mnist_m_test" / "00000002.png")
    with pytest.raises(UserError, match=r"00000002\.png is 28x30 pixels, not 32x32"):
        load("mnistm", "test", root)


def test_unpublished_files_are_read_recorded_and_noted(root: Path) -> None:
    split = load("svhn", "test", root)
    path = root / "SVHN" / "test_32x32.mat"
    (file,) = split.files
    assert file.name == "SVHN/test_32x32.mat"
    assert file.checksum == f"md5:{hashlib.md5(path.read_bytes()).hexdigest()}"
    assert not file.verified
    assert split.note == "svhn test: 13 of 26,032, file unverified"


def test_unknown_names_show_the_nearest(root: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'mnistm'"):
        find_domain("mnstm")
    with pytest.raises(UserError, match=r"unknown split of mnist 'tests': did you mean 'test'"):
        load("mnist", "tests", root)
    with pytest.raises(UserError, match="write folder:PATH"):
        find_domain("folder:")

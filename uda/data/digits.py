"""The digit data sets: MNIST, USPS in its three forms, SVHN, MNIST-M and SynDigits, read from their released files.

Reading never touches the network. Downloading goes by torchvision's addresses and checksums, where it has them.
"""

from __future__ import annotations

import hashlib
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from uda.data.cache import cached
from uda.data.domains import Domain, FileRecord, Split, register
from uda.data.downloads import download
from uda.data.files import count_note, md5_of_file, parsing, prepare_command, record, require
from uda.data.formats import (
    Bytes,
    Labels,
    digit_labels,
    read_hdf5_usps,
    read_idx,
    read_libsvm_usps,
    read_mat_digits,
    read_pickled_usps,
)
from uda.errors import UserError

DIGITS = tuple(str(digit) for digit in range(10))

# MD5 of the unpacked content: the same file is in circulation packed in more than one way.
MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
MNIST_COUNT = {"train": 60_000, "test": 10_000}
USPS_COUNT = {"train": 7_291, "test": 2_007}
COGAN_COUNT = {"train": 7_438, "test": 1_860}
SVHN_COUNT = {"train": 73_257, "extra": 531_131, "test": 26_032}
MNISTM_COUNT = {"train": 59_001, "test": 9_001}
SYNDIGITS_COUNT = {"train": 479_400, "test": 9_553}

# MD5 of the pixels (NHWC) of shortened copies that are in circulation, and what they hold.
SVHN_EXCERPTS = {"baa33556c0a057545047bfaa3001ef5f": "first 10,000"}

ESL_SOURCE = (
    "get usps.h5 (train and test in one file) from https://www.kaggle.com/datasets/bistaumanga/usps-dataset "
    "and put it in the folder USPS of the data root"
)
COGAN_SOURCE = (
    "get usps_28x28.pkl (train and test in one file) from cogan_pytorch/data/uspssample of "
    "https://github.com/mingyuliutw/CoGAN and put it in the folder USPS of the data root"
)
GANIN_SOURCE = "get {what} from http://yaroslav.ganin.net/ and {where} of the data root"
MNISTM_SOURCE = GANIN_SOURCE.format(what="mnist_m.tar.gz", where="unpack it as the folder mnist_m")
SYNDIGITS_SOURCE = GANIN_SOURCE.format(
    what="SynthDigits (synth_train_32x32.mat, synth_test_32x32.mat)", where="put its files in the folder SynDigits"
)


def digit_split(name: str, images: Bytes, labels: Labels, official: int, files: tuple[FileRecord, ...]) -> Split:
    """Make a split of digits, with a note where it is not of its official size.

    Parameters
    ----------
    name
        Domain and split, for the note.
    images, labels
        (N, H, W) or (N, C, H, W) uint8, and (N,) digits.
    official
        Number of images in the published split.
    files
        What it was read from.
    """
    pixels = torch.from_numpy(images if images.ndim == 4 else images[:, None])
    note = ""
    if len(images) != official:
        verified = all(file.verified for file in files)
        note = count_note(name, excerpt(images) or f"{len(images):,}", official, verified)
    return Split(pixels, torch.from_numpy(labels), DIGITS, files, note)


def excerpt(images: Bytes) -> str:
    """Return which part of a split these images are, if they are a known shortened copy; "" otherwise."""
    if images.ndim != 4:
        return ""
    return SVHN_EXCERPTS.get(hashlib.md5(np.ascontiguousarray(images.transpose(0, 2, 3, 1)).tobytes()).hexdigest(), "")


# MNIST


def mnist_files(root: Path, split: str) -> tuple[Path, ...]:
    """Return where images and labels are; the packed file where only that is there."""
    stem = {"train": "train", "test": "t10k"}[split]
    plain = [root / "MNIST" / "raw" / f"{stem}-{part}-ubyte" for part in ("images-idx3", "labels-idx1")]
    packed = [path.with_name(path.name + ".gz") for path in plain]
    return tuple(gz if gz.is_file() and not path.exists() else path for path, gz in zip(plain, packed, strict=True))


def load_mnist(root: Path, split: str) -> Split:
    """Read MNIST: 28x28 grey."""
    arrays, files = [], []
    for path, what, dimensions in zip(mnist_files(root, split), ("images", "labels"), (3, 1), strict=True):
        require(path, f"the MNIST {split} {what} (idx, with or without .gz)", prepare_command("mnist", split, root))
        array, md5 = read_idx(path, dimensions)
        arrays.append(array)
        files.append(record(root, path, md5, MNIST_MD5[path.name.removesuffix(".gz")]))
    images, labels = arrays
    labels_path = mnist_files(root, split)[1]
    return digit_split(
        f"mnist {split}", images, digit_labels(labels_path, labels, len(images)), MNIST_COUNT[split], tuple(files)
    )


def prepare_mnist(root: Path, splits: tuple[str, ...]) -> None:
    """Download what is missing of MNIST, packed; it is read so."""
    from torchvision.datasets import MNIST

    published = dict(MNIST.resources)
    for path in (path for split in splits for path in mnist_files(root, split) if not path.exists()):
        name = path.name + ".gz"
        download([mirror + name for mirror in MNIST.mirrors], path.with_name(name), published[name])


# USPS, LIBSVM form


def usps_files(root: Path, split: str) -> tuple[Path, ...]:
    """Return where the split's file is."""
    return (root / "USPS" / {"train": "usps.bz2", "test": "usps.t.bz2"}[split],)


def load_usps(root: Path, split: str) -> Split:
    """Read USPS in LIBSVM form, with torchvision's pixels: 16x16 grey."""
    from torchvision.datasets import USPS

    (path,) = usps_files(root, split)
    require(path, f"the USPS {split} digits (LIBSVM form)", prepare_command("usps", split, root))
    images, labels = read_libsvm_usps(path)
    files = (record(root, path, md5_of_file(path), USPS.split_list[split][2]),)
    return digit_split(f"usps {split}", images, labels, USPS_COUNT[split], files)


def prepare_usps(root: Path, splits: tuple[str, ...]) -> None:
    """Download what is missing of USPS in LIBSVM form."""
    from torchvision.datasets import USPS

    for split in splits:
        (path,) = usps_files(root, split)
        url, _, md5 = USPS.split_list[split]
        download([url], path, md5)


# USPS, HDF5 form: the same digits, other pixels (LIBSVM's are smoothed and rescaled)


def usps_esl_files(root: Path, split: str) -> tuple[Path, ...]:
    """Return where the one file of both splits is."""
    return (root / "USPS" / "usps.h5",)


def load_usps_esl(root: Path, split: str) -> Split:
    """Read USPS in HDF5 form, the values of The Elements of Statistical Learning: 16x16 grey. No MD5 is published."""
    (path,) = usps_esl_files(root, split)
    require(path, "the USPS digits in HDF5 form", ESL_SOURCE)
    images, labels = read_hdf5_usps(path, split)
    files = (record(root, path, md5_of_file(path), None),)
    return digit_split(f"usps-esl {split}", images, labels, USPS_COUNT[split], files)


# USPS, CoGAN's form: 28x28, with other pixels, and parted otherwise than as released


def usps_cogan_files(root: Path, split: str) -> tuple[Path, ...]:
    """Return where the one file of both splits is."""
    return (root / "USPS" / "usps_28x28.pkl",)


def load_usps_cogan(root: Path, split: str) -> Split:
    """Read USPS as CoGAN's PyTorch code has it, and others after it: 28x28 grey. No MD5 is published."""
    (path,) = usps_cogan_files(root, split)
    require(path, "the USPS digits as CoGAN's code has them", COGAN_SOURCE)
    images, labels = read_pickled_usps(path, split)
    files = (record(root, path, md5_of_file(path), None),)
    return digit_split(f"usps-cogan {split}", images, labels, COGAN_COUNT[split], files)


# SVHN


def svhn_files(root: Path, split: str) -> tuple[Path, ...]:
    """Return where the split's file is."""
    return (root / "SVHN" / f"{split}_32x32.mat",)


def load_svhn(root: Path, split: str) -> Split:
    """Read SVHN's cropped digits: 32x32 RGB. A file of this format that is not the published one is read, and noted."""
    from torchvision.datasets import SVHN

    (path,) = svhn_files(root, split)
    require(path, f"the SVHN {split} digits (MATLAB form)", prepare_command("svhn", split, root))
    images, labels = read_mat_digits(path)
    files = (record(root, path, md5_of_file(path), SVHN.split_list[split][2]),)
    return digit_split(f"svhn {split}", images, labels, SVHN_COUNT[split], files)


def prepare_svhn(root: Path, splits: tuple[str, ...]) -> None:
    """Download what is missing of SVHN; ``extra`` is 1.3 GB, and only fetched where it is asked for."""
    from torchvision.datasets import SVHN

    for split in splits:
        (path,) = svhn_files(root, split)
        url, _, md5 = SVHN.split_list[split]
        download([url], path, md5)


# SynDigits


def syndigits_files(root: Path, split: str) -> tuple[Path, ...]:
    """Return where the split's file is."""
    return (root / "SynDigits" / f"synth_{split}_32x32.mat",)


def load_syndigits(root: Path, split: str) -> Split:
    """Read the synthetic digits of Ganin and Lempitsky: 32x32 RGB, in SVHN's format. No checksum is published."""
    (path,) = syndigits_files(root, split)
    require(path, f"the SynDigits {split} digits (MATLAB form)", SYNDIGITS_SOURCE)
    images, labels = read_mat_digits(path)
    files = (record(root, path, md5_of_file(path), None),)
    return digit_split(f"syndigits {split}", images, labels, SYNDIGITS_COUNT[split], files)


# MNIST-M


def mnistm_files(root: Path, split: str) -> tuple[Path, ...]:
    """Return where the labels file and the folder of images are."""
    folder = root / "mnist_m" / f"mnist_m_{split}"
    return folder.with_name(f"{folder.name}_labels.txt"), folder


def load_mnistm(root: Path, split: str) -> Split:
    """Read MNIST-M: 32x32 RGB, from its PNG files at first, from the cache after that.

    The checksum, by which the cache is found too, is that of the labels file and of the names and sizes of all PNG
    files: 59,001 files are not opened to find that nothing changed. No checksum is published.
    """
    labels_path, folder = mnistm_files(root, split)
    require(labels_path, f"the MNIST-M {split} labels (`name label` per line)", MNISTM_SOURCE)
    if not folder.is_dir():
        raise UserError(f"{folder} does not exist; it should hold the MNIST-M {split} images (PNG): {MNISTM_SOURCE}")
    md5 = listing_md5(labels_path, folder)
    content = cached(root, f"mnistm-{split}", md5, partial(decode_mnistm, labels_path, folder))
    images, labels = content["images"].numpy(), content["labels"].numpy()
    name = folder.relative_to(root).as_posix()
    files = (FileRecord(name, f"listing-md5:{md5}", verified=False),)
    return digit_split(f"mnistm {split}", images, labels, MNISTM_COUNT[split], files)


def listing_md5(labels_path: Path, folder: Path) -> str:
    """Return the MD5 of a labels file followed by the sorted names and sizes of a folder's files."""
    digest = hashlib.md5(labels_path.read_bytes())
    with os.scandir(folder) as entries:
        for name, size in sorted((entry.name, entry.stat().st_size) for entry in entries):
            digest.update(f"{name} {size}\n".encode())
    return digest.hexdigest()


def decode_mnistm(labels_path: Path, folder: Path) -> dict[str, Any]:
    """Decode the PNG files that a labels file names: images (N, 3, 32, 32) uint8 and labels (N,) int64."""
    with parsing(labels_path, "labels file"):
        lines = labels_path.read_text(encoding="utf-8").split("\n")
        pairs = [line.split() for line in lines if line.strip()]
        names, values = [name for name, _ in pairs], [int(label) for _, label in pairs]
    images = np.empty((len(names), 32, 32, 3), dtype=np.uint8)
    for index, name in enumerate(names):
        images[index] = read_png(folder / name, labels_path)
    labels = digit_labels(labels_path, np.array(values, dtype=np.int64))
    return {
        "images": torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))),
        "labels": torch.from_numpy(labels),
    }


def read_png(path: Path, labels_path: Path) -> Bytes:
    """Read one 32x32 image as RGB: (32, 32, 3) uint8."""
    from PIL import Image

    require(path, f"an image that {labels_path.name} names", MNISTM_SOURCE)
    with parsing(path, "PNG file"), Image.open(path, formats=("PNG",)) as image:
        pixels = np.asarray(image.convert("RGB"))
    if pixels.shape != (32, 32, 3):
        raise UserError(f"{path} is {pixels.shape[1]}x{pixels.shape[0]} pixels, not 32x32")
    return pixels


register(
    Domain(
        name="mnist",
        description="MNIST, handwritten digits",
        splits=("train", "test"),
        channels=1,
        size=28,
        load=load_mnist,
        files=mnist_files,
        prepare=prepare_mnist,
    )
)
register(
    Domain(
        name="usps",
        description="USPS, handwritten digits, LIBSVM form (smoothed, as torchvision reads it)",
        splits=("train", "test"),
        channels=1,
        size=16,
        load=load_usps,
        files=usps_files,
        prepare=prepare_usps,
    )
)
register(
    Domain(
        name="usps-esl",
        description="USPS, the same digits with the pixels of The Elements of Statistical Learning (usps.h5)",
        splits=("train", "test"),
        channels=1,
        size=16,
        load=load_usps_esl,
        files=usps_esl_files,
        obtain=ESL_SOURCE,
    )
)
register(
    Domain(
        name="usps-cogan",
        description="USPS, the same digits as CoGAN's code has them (usps_28x28.pkl: 7,438 and 1,860)",
        splits=("train", "test"),
        channels=1,
        size=28,
        load=load_usps_cogan,
        files=usps_cogan_files,
        obtain=COGAN_SOURCE,
    )
)
register(
    Domain(
        name="svhn",
        description="SVHN, cropped house numbers",
        splits=("train", "extra", "test"),
        channels=3,
        size=32,
        load=load_svhn,
        files=svhn_files,
        prepare=prepare_svhn,
    )
)
register(
    Domain(
        name="mnistm",
        description="MNIST-M, MNIST blended with photographs",
        splits=("train", "test"),
        channels=3,
        size=32,
        load=load_mnistm,
        files=mnistm_files,
        obtain=MNISTM_SOURCE,
    )
)
register(
    Domain(
        name="syndigits",
        description="SynDigits, digits drawn from fonts on varied grounds (Ganin and Lempitsky)",
        splits=("train", "test"),
        channels=3,
        size=32,
        load=load_syndigits,
        files=syndigits_files,
        obtain=SYNDIGITS_SOURCE,
    )
)

"""Small data sets, written to disk in the formats of their releases."""

import bz2
import gzip
import io
import pickle
import struct
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

Bytes = NDArray[np.uint8]

MNIST_SIZES = {"train": 40, "t10k": 12}
USPS_SIZES = {"train": 30, "test": 11}
SVHN_SIZES = {"train": 26, "extra": 33, "test": 13}
MNISTM_SIZES = {"train": 14, "test": 8}


@pytest.fixture(scope="session", autouse=True)
def few_threads() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def root(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A data root with every digit data set, tiny, each label at least once."""
    folder = tmp_path / "data root"
    for stem, count in MNIST_SIZES.items():
        write_idx(folder / "MNIST" / "raw" / f"{stem}-images-idx3-ubyte", pixels(rng, count, 28, 28))
        write_idx(folder / "MNIST" / "raw" / f"{stem}-labels-idx1-ubyte", digits(rng, count))
    for split, name in (("train", "usps.bz2"), ("test", "usps.t.bz2")):
        write_usps(folder / "USPS" / name, rng, USPS_SIZES[split])
    write_usps_hdf5(folder / "USPS" / "usps.h5", rng)
    write_usps_pickle(folder / "USPS" / "usps_28x28.pkl", rng)
    for split, count in SVHN_SIZES.items():
        write_mat(folder / "SVHN" / f"{split}_32x32.mat", pixels(rng, count, 32, 32, 3), digits(rng, count), zero=10)
        write_mat(
            folder / "SynDigits" / f"synth_{split}_32x32.mat", pixels(rng, count, 32, 32, 3), digits(rng, count), zero=0
        )
    for split, count in MNISTM_SIZES.items():
        write_mnistm(folder / "mnist_m" / f"mnist_m_{split}", pixels(rng, count, 32, 32, 3), digits(rng, count))
    return folder


def pixels(rng: np.random.Generator, *shape: int) -> Bytes:
    return rng.integers(0, 256, shape, dtype=np.uint8)


def digits(rng: np.random.Generator, count: int) -> Bytes:
    return rng.permutation(np.arange(count) % 10).astype(np.uint8)


def write_idx(path: Path, array: Bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    path.write_bytes(header + array.tobytes())


def write_usps(path: Path, rng: np.random.Generator, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for label in digits(rng, count):
        values = rng.uniform(-1, 1, 256)
        lines.append(f"{label + 1} " + " ".join(f"{i}:{value:.6f}" for i, value in enumerate(values, 1)) + " \n")
    path.write_bytes(bz2.compress("".join(lines).encode()))


def write_usps_hdf5(path: Path, rng: np.random.Generator, sizes: dict[str, int] = USPS_SIZES) -> None:
    with h5py.File(path, "w") as file:
        for split, count in sizes.items():
            file[f"{split}/data"] = rng.uniform(0, 1, (count, 256)).astype(np.float32)
            file[f"{split}/target"] = digits(rng, count).astype(np.int32)


PurePython: Any = pickle._Pickler


class Python2(PurePython):  # type: ignore[misc]
    """Writes bytes as Python 2 wrote its texts."""

    dispatch: ClassVar[dict[type, Any]] = PurePython.dispatch.copy()

    def save_text(self, text: bytes) -> None:
        self.write(pickle.BINSTRING + struct.pack("<i", len(text)) + text)
        self.memoize(text)

    dispatch[bytes] = save_text


def write_usps_pickle(path: Path, rng: np.random.Generator, sizes: dict[str, int] = USPS_SIZES) -> None:
    parts = [
        [rng.uniform(0, 1, (count, 1, 28, 28)).astype(np.float32), digits(rng, count).astype(np.int32)]
        for count in sizes.values()
    ]
    file = io.BytesIO()
    Python2(file, protocol=2).dump(parts)
    path.write_bytes(gzip.compress(file.getvalue().replace(b"numpy._core", b"numpy.core")))


def write_mat(path: Path, images: Bytes, labels: Bytes, zero: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = np.where(labels == 0, zero, labels).astype(np.uint8)[:, None]
    savemat(path, {"X": images.transpose(1, 2, 3, 0), "y": stored})


def write_mnistm(folder: Path, images: Bytes, labels: Bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        Image.fromarray(image).save(folder / f"{index:08d}.png")
        lines.append(f"{index:08d}.png {label}\n")
    folder.with_name(f"{folder.name}_labels.txt").write_text("".join(lines))

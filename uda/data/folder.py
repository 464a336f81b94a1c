"""A user's own images: class folders (``folder:PATH``) and arrays in one ``.npz`` file (``npz:PATH``)."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from uda.data.cache import cached
from uda.data.domains import UNLABELLED, Domain, FileRecord, Split, register_scheme
from uda.data.files import md5_of_file, parsing, record, require
from uda.data.shaping import resize
from uda.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

SPLITS = ("train", "test")
EXTENSIONS = (".bmp", ".jfif", ".jpeg", ".jpg", ".png", ".webp")
#: Endings of images that are not read: beside others they would be missing, and nobody told.
UNREAD = (".avif", ".gif", ".heic", ".jp2", ".pgm", ".ppm", ".tif", ".tiff")
MIXED_SIZE = 64  # what images of differing sizes are brought to, and large ones of one size: the most of any protocol
LARGEST_KEPT = 256  # side of images of one size that are kept as they are
ORIENTATION = 0x0112  # the Exif tag of how a camera was held
SIDEWAYS = (5, 6, 7, 8)  # its values where what is stored as width is the height of what was seen
FOLDER_FORM = (
    "images as PATH/train/CLASS/*.png and PATH/test/CLASS/*.png (those of a target that have no labels as "
    "PATH/train/*.png and PATH/test/*.png; where none has any, PATH/*.png will do)"
)
NPZ_FORM = (
    "the arrays train_images, train_labels, test_images, test_labels (optional: class_names; of a target, labels)"
)


# Class folders


def open_folder(where: str) -> Domain:
    """Return the domain of a folder that holds ``train/CLASS/IMAGE`` and ``test/CLASS/IMAGE``."""
    folder = Path(where)
    return Domain(
        name=f"folder:{folder}",
        description=f"class folders under {where}",
        splits=SPLITS,
        channels=None,
        size=None,
        load=partial(load_folder, folder),
        files=lambda root, split: (place_of(folder, split),),
        obtain=f"put {FOLDER_FORM}",
    )


def load_folder(folder: Path, root: Path, split: str) -> Split:
    """Read one split of class folders; classes are the folders of ``train``, by name.

    Images of a split that has no folders have no labels. Classes are then those of the other split; where that has none
    either, they have no names. Images that are in no split at all are both.

    Images are grey where all of the split are, else RGB. Where they differ in size, each is resized to 64x64 (and a
    note says so). So is each where all are of one size with a side above 256 pixels: whole, photographs would not fit
    into memory, and 64x64 is the most that a protocol leaves of them. Their order is that of their content's checksums,
    so that it tells nothing of their classes.

    Parameters
    ----------
    folder
        Holds ``train`` and ``test``.
    root
        The data root, for the cache.
    split
        ``"train"`` or ``"test"``.

    Raises
    ------
    UserError
        For a missing folder, a class in ``test`` that ``train`` does not have, images beside class folders, a class
        folder of files that are none of `EXTENSIONS`, or such a file that is no image.
    """
    place = place_of(folder, split)
    class_names = classes_of(folder, split)
    strangers = sorted(set(class_folders(folder, split)) - set(class_names))
    if strangers:
        raise UserError(f"{place} has classes that {folder / 'train'} does not have: {', '.join(strangers)}")
    paths = [(path, UNLABELLED) for path in loose_images(folder, split)]
    paths += [(path, label) for label, name in enumerate(class_names) for path in images_of(place / name)]
    if not paths:
        raise UserError(f"{place} holds no image ({', '.join(EXTENSIONS)})")
    stamps = [(path.relative_to(folder).as_posix(), path.stat().st_size, path.stat().st_mtime_ns) for path, _ in paths]
    made_from = (str(folder.resolve()), class_names, stamps, MIXED_SIZE, LARGEST_KEPT, "upright")
    key = hashlib.md5(repr(made_from).encode()).hexdigest()
    content = cached(root, f"folder-{split}", key, partial(decode_images, paths))
    name = record(root, place, content["md5"], None).name
    note = f"folder {folder.name} {split}: images of differing sizes, each resized to {MIXED_SIZE}x{MIXED_SIZE}"
    return Split(
        images=content["images"],
        labels=content["labels"],
        class_names=class_names,
        files=(FileRecord(name, f"md5:{content['md5']}", verified=False),),
        note=note if content["mixed"] else "",
    )


def place_of(folder: Path, split: str) -> Path:
    """Return where the images of a split are: in its own folder, or where all are that belong to no split."""
    divided = any((folder / each).exists() for each in SPLITS)
    loose = not divided and folder.is_dir() and any(map(_seems_image, folder.iterdir()))
    return folder if loose else folder / split


def classes_of(folder: Path, wanted: str) -> tuple[str, ...]:
    """Return the names of the class folders of ``train``, sorted; those of ``test`` where it has images, or is missing.

    Raises
    ------
    UserError
        Where the split that is ``wanted`` is missing, or none has a class folder and one of them no image either.
    """
    for split in SPLITS:
        if split != wanted and not place_of(folder, split).is_dir():
            continue
        loose = loose_images(folder, split)
        if names := class_folders(folder, split):
            return names
        if not loose:
            raise _misplaced(folder, place_of(folder, split), "holds no image")
    return ()


def class_folders(folder: Path, split: str) -> tuple[str, ...]:
    """Return the names of the folders in that of a split, sorted."""
    place = place_of(folder, split)
    for path in (folder, place):
        if not path.is_dir():
            raise _misplaced(folder, path, "is a file, not a folder" if path.exists() else "does not exist")
    return tuple(sorted(path.name for path in place.iterdir() if path.is_dir() and not path.name.startswith(".")))


def loose_images(folder: Path, split: str) -> list[Path]:
    """Return the images of a split that are in no class folder; `UserError` where they are beside such folders."""
    place, names = place_of(folder, split), class_folders(folder, split)
    if not names:
        return images_of(place)
    for path in place.iterdir():
        if _seems_image(path):
            raise UserError(
                f"{path} stands beside class folders ({', '.join(names)}): put it into the one of its class"
            )
    return []


def images_of(folder: Path) -> list[Path]:
    """Return the image files of one class, sorted; none where the folder is missing or empty."""
    if not folder.is_dir():
        return []
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    for inner in (path for path in files if path.is_dir()):
        if any(path.suffix.lower() in EXTENSIONS for path in inner.rglob("*")):
            raise UserError(f"{inner} holds images inside the folder of a class, where none is read: move them up")
    if files and not any(path.suffix.lower() in EXTENSIONS for path in files):
        raise UserError(f"{folder} holds {files[0].name} and no image that is read here: convert to {EXTENSIONS[-2]}")
    return read_here(files)


def read_here(files: Iterable[Path]) -> list[Path]:
    """Return the images among files; `UserError` for one of a form that is not read."""
    images = []
    for path in files:
        if path.suffix.lower() in UNREAD:
            raise UserError(f"{path} is an image of a form that is not read here: convert to {EXTENSIONS[-2]}")
        if path.suffix.lower() in EXTENSIONS:
            images.append(path)
    return images


def _seems_image(path: Path) -> bool:
    """Whether a name is that of an image, read here or not."""
    return path.suffix.lower() in (*EXTENSIONS, *UNREAD) and not path.name.startswith(".")


def _misplaced(folder: Path, path: Path, problem: str) -> UserError:
    """Build the error for a path that is not as a domain of class folders needs it."""
    return UserError(f"{path} {problem}; domain folder:{folder} should hold {FOLDER_FORM}")


def decode_images(paths: list[tuple[Path, int]]) -> dict[str, Any]:
    """Decode labelled image files, ordered by the checksum of their content.

    Returns
    -------
    dict
        ``images`` (N, C, H, W) uint8, ``labels`` (N,) int64, ``mixed`` (whether sizes differed), ``md5`` (of all
        content and labels, in order). Each image is `MIXED_SIZE` large where sizes differ or one is above
        `LARGEST_KEPT`.
    """
    hashed = sorted((md5_of_file(path), label, path) for path, label in paths)
    sizes = {size_of(path) for path, _ in paths}
    mixed = len(sizes) > 1
    kept = not mixed and max(max(size) for size in sizes) <= LARGEST_KEPT
    # one by one: photographs as they come may be larger than memory
    pictures = [read_image(path) if kept else resize(read_image(path)[None], MIXED_SIZE)[0] for _, _, path in hashed]
    if any(picture.shape[0] == 3 for picture in pictures):
        pictures = [picture.expand(3, -1, -1) for picture in pictures]
    return {
        "images": torch.stack(pictures),
        "labels": torch.tensor([label for _, label, _ in hashed]),
        "mixed": mixed,
        "md5": hashlib.md5(repr([(md5, label) for md5, label, _ in hashed]).encode()).hexdigest(),
    }


def size_of(path: Path) -> tuple[int, int]:
    """Return width and height of an image as it is seen, without decoding it."""
    from PIL import Image

    with parsing(path, "image"), Image.open(path) as image:
        width, height = image.size
        return (height, width) if image.getexif().get(ORIENTATION) in SIDEWAYS else (width, height)


def read_image(path: Path) -> Tensor:
    """Read one image, upright as its camera was held: (1, H, W) uint8 where it is stored as grey, else (3, H, W)."""
    from PIL import Image, ImageOps

    with parsing(path, "image"), Image.open(path) as image:
        if image.mode in ("F", "I") or image.mode.startswith("I;"):
            raise UserError(f"{path} has more than 8 bits per pixel (mode {image.mode}): convert it to 8 bits")
        if _transparent(image):
            raise UserError(f"{path} has transparent pixels: put it on a background first")
        grey = image.mode in ("1", "L", "LA")
        pixels = np.array(ImageOps.exif_transpose(image).convert("L" if grey else "RGB"))
    return torch.from_numpy(pixels[None] if grey else np.ascontiguousarray(pixels.transpose(2, 0, 1)))


def _transparent(image: Image.Image) -> bool:
    """Whether any pixel is not wholly opaque: its colour is then no part of what one sees."""
    if image.mode not in ("LA", "PA", "RGBA") and "transparency" not in image.info:
        return False
    return bool((np.array(image.convert("RGBA").getchannel("A")) < 255).any())


# Arrays


def open_npz(where: str) -> Domain:
    """Return the domain of a ``.npz`` file that holds images and labels of both splits."""
    path = Path(where)
    return Domain(
        name=f"npz:{path}",
        description=f"arrays in {where}",
        splits=SPLITS,
        channels=None,
        size=None,
        load=partial(load_npz, path),
        files=lambda root, split: (path,),
        obtain=f"save {NPZ_FORM}",
    )


def load_npz(path: Path, root: Path, split: str) -> Split:
    """Read one split of a ``.npz`` file.

    Parameters
    ----------
    path
        Holds ``SPLIT_images``, uint8, (N, H, W, C), (N, C, H, W) or (N, H, W) with C 1 or 3; ``SPLIT_labels`` (N,),
        integers from 0; and, if wanted, ``class_names`` (K,), strings. Without names, classes are called "0", "1", …,
        and each has a training image. Without ``SPLIT_labels``, the images of a split have no labels; without
        ``test_images`` either, the training images are the test images too.
    root
        The data root, for the record.
    split
        ``"train"`` or ``"test"``.

    Raises
    ------
    UserError
        Naming the file and what is wrong with it.
    """
    require_npz(path)
    with parsing(path, ".npz file"), path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        labelled = [name for name in ("train_labels", "test_labels") if name in file]
        pixels = f"{split}_images" if labelled or "test_images" in file else "train_images"
        needed = [pixels, *(["test_images"] if labelled else []), *(["test_labels"] if "train_labels" in file else [])]
        missing = [name for name in needed if name not in file]
        if missing:
            raise UserError(f"{path} lacks {missing[0]}; it should hold {NPZ_FORM}")
        arrays = {name: plain(path, name, file) for name in (pixels, *labelled)}
        names = tuple(map(str, plain(path, "class_names", file))) if "class_names" in file else None
    of_split = {name: integer_labels(path, name, arrays[name]) for name in labelled}
    highest = max((int(labels.max()) for labels in of_split.values() if labels.size), default=-1)
    if names is None:
        names = numbered(path, labelled[0], of_split[labelled[0]], highest + 1) if labelled else ()
    if highest >= len(names) or len(set(names)) != len(names):
        raise UserError(f"{path}: class_names must be different names, one for each label 0..{highest}")
    images = channels_first(path, pixels, arrays[pixels])
    labels = of_split.get(f"{split}_labels", np.full(len(images), UNLABELLED, np.int64))
    if len(images) != len(labels):
        raise UserError(f"{path} holds {len(labels):,} {split} labels for {len(images):,} images")
    files = (record(root, path, md5_of_file(path), None),)
    return Split(torch.from_numpy(images), torch.from_numpy(labels), names, files)


def require_npz(path: Path) -> None:
    """Raise `UserError` for a path that is no ``.npz`` file, whatever its name says."""
    require(path, NPZ_FORM, "numpy.savez writes such a file")
    with parsing(path, ".npz file"), path.open("rb") as stream:
        if not zipfile.is_zipfile(stream):
            raise UserError(
                f"{path} is not a readable .npz file of arrays; numpy.savez writes one: it should hold {NPZ_FORM}"
            )


def plain(path: Path, name: str, file: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return an array of a file; `UserError` for one of Python's objects, which could run code, or a single value."""
    try:
        values = file[name]
    except ValueError as error:
        raise UserError(
            f"{path}: {name} holds Python's objects, which are not read: save numbers, or strings by astype(str)"
        ) from error
    if values.ndim == 0:
        raise UserError(f"{path}: {name} is a single value, not an array")
    return values


def numbered(path: Path, name: str, labels: NDArray[np.int64], count: int) -> tuple[str, ...]:
    """Return "0", "1", … for so many classes after checking that each of them is among the labels of that name."""
    present = np.unique(labels)
    if len(present) < count:
        absent = next(label for label, there in enumerate([*present.tolist(), -1]) if label != there)
        split = "training" if name == "train_labels" else "test"
        raise UserError(
            f"{path} has labels up to {count - 1} and no {split} image of class {absent}: number the classes from 0 "
            "without gaps, or give class_names"
        )
    return tuple(str(label) for label in range(count))


def integer_labels(path: Path, name: str, values: NDArray[Any]) -> NDArray[np.int64]:
    """Return labels as (N,) int64 after checking that they are integers from 0."""
    low_enough = values.dtype.kind in "iu" and (not values.size or values.max() <= np.iinfo(np.int64).max)
    if values.ndim != 1 or not low_enough or (values.size and values.min() < 0):
        raise UserError(f"{path}: {name} must be one-dimensional, of integers from 0")
    return values.astype(np.int64)


def channels_first(path: Path, name: str, values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return images as (N, C, H, W) uint8, from that, (N, H, W, C) or (N, H, W)."""
    if values.dtype != np.uint8 or values.ndim not in (3, 4) or 0 in values.shape[1:]:
        raise UserError(
            f"{path}: {name} is {values.dtype} of shape {values.shape}, not uint8 with 3 or 4 dimensions above 0"
        )
    if values.ndim == 3:
        return values[:, None]
    first, last = values.shape[1] in (1, 3), values.shape[3] in (1, 3)
    if first == last:
        problem = "both the second and the last dimension could be" if first else "no dimension is"
        raise UserError(f"{path}: {name} is of shape {values.shape}: {problem} the 1 or 3 channels")
    return values if first else np.ascontiguousarray(values.transpose(0, 3, 1, 2))


register_scheme("folder", open_folder)
register_scheme("npz", open_npz)

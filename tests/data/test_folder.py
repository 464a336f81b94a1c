"""A user's own images: class folders and .npz files."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from uda.data.domains import Split, find_domain, load_split
from uda.data.files import md5_of_file
from uda.data.folder import MIXED_SIZE, ORIENTATION, read_image, size_of
from uda.data.protocols import load_task, target_training_labels
from uda.data.shaping import resize
from uda.errors import UserError


def save(path: Path, value: int | tuple[int, ...], size: tuple[int, int] = (20, 20), mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for split, count in (("train", 4), ("test", 2)):
        for label, name in enumerate(("cat", "dog")):
            for index in range(count):
                save(tmp_path / "pets" / split / name / f"{index}.png", 100 * label + index)
    return tmp_path / "pets"


def load(folder: Path, split: str) -> Split:
    return load_split(find_domain(f"folder:{folder}"), split, folder.parent / "root")


def test_folder_has_its_folders_as_classes(folder: Path) -> None:
    split = load(folder, "train")
    assert split.class_names == ("cat", "dog")
    assert split.images.shape == (8, 1, 20, 20)
    assert torch.equal(split.labels, (split.images[:, 0, 0, 0] >= 100).long())
    assert split.note == ""


def test_order_of_a_folder_does_not_depend_on_its_classes(folder: Path) -> None:
    before = load(folder, "train")
    (folder / "train" / "cat").rename(folder / "train" / "x")
    (folder / "train" / "dog").rename(folder / "train" / "cat")
    (folder / "train" / "x").rename(folder / "train" / "dog")
    after = load(folder, "train")
    assert torch.equal(before.images, after.images)
    assert torch.equal(before.labels, 1 - after.labels)
    assert before.files != after.files


def test_folder_is_decoded_again_when_an_image_changes(folder: Path) -> None:
    load(folder, "test")
    save(folder / "test" / "cat" / "0.png", 77)
    assert 77 in load(folder, "test").images


def test_folders_that_only_their_place_tells_apart_are_not_confused(tmp_path: Path) -> None:
    for name, value in (("first", 10), ("second", 20)):
        save(tmp_path / name / "train" / "cat" / "0.bmp", value)
        os.utime(tmp_path / name / "train" / "cat" / "0.bmp", (1, 1))
    first, second = (
        load_split(find_domain(f"folder:{tmp_path / name}"), "train", tmp_path) for name in ("first", "second")
    )
    assert first.images.unique().tolist() == [10]
    assert second.images.unique().tolist() == [20]
    assert first.files != second.files


def test_colour_makes_the_whole_split_colour(folder: Path) -> None:
    save(folder / "train" / "dog" / "red.png", (255, 0, 0), mode="RGB")
    images = load(folder, "train").images
    assert images.shape == (9, 3, 20, 20)
    assert sum(image[:, 0, 0].tolist() == [255, 0, 0] for image in images) == 1


def test_images_of_differing_sizes_are_resized_and_noted(folder: Path) -> None:
    large = np.random.default_rng(0).integers(0, 256, (50, 40, 3), dtype=np.uint8)
    Image.fromarray(large).save(folder / "test" / "dog" / "large.png")
    split = load(folder, "test")
    assert split.images.shape == (5, 3, MIXED_SIZE, MIXED_SIZE)
    expected = resize(torch.from_numpy(large).permute(2, 0, 1)[None], MIXED_SIZE)
    assert sum(torch.equal(image, expected[0]) for image in split.images) == 1
    assert "each resized to 64x64" in split.note


@pytest.mark.parametrize("side", [256, 257])
def test_large_images_of_one_size_are_resized_as_they_are_read(side: int, folder: Path) -> None:
    rng = np.random.default_rng(0)
    whole = torch.from_numpy(rng.integers(0, 256, (6, 3, 200, side), dtype=np.uint8))
    shutil.rmtree(folder)
    for place, pixels in enumerate(whole):
        path = folder / "train" / "cat" / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(path)
    split = load(folder, "train")
    assert split.images.shape == ((6, 3, 200, 256) if side == 256 else (6, 3, MIXED_SIZE, MIXED_SIZE))
    assert split.note == ""
    by_content = sorted(range(6), key=lambda place: md5_of_file(folder / "train" / "cat" / f"{place}.png"))
    assert torch.equal(resize(split.images, MIXED_SIZE), resize(whole, MIXED_SIZE)[by_content])


def test_wrong_folders_are_named(folder: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere does not exist; domain folder:.*nowhere should hold images as"):
        load(folder.parent / "nowhere", "train")
    (folder.parent / "half" / "test").mkdir(parents=True)
    with pytest.raises(UserError, match=r"half/train does not exist; domain folder:.*half should hold images as"):
        load(folder.parent / "half", "train")
    (folder.parent / "half" / "train").touch()
    for name in ("half", "half/train"):
        with pytest.raises(UserError, match=r"half/train is a file, not a folder; domain folder:.* should hold images"):
            load(folder.parent / name, "train")
    save(folder / "test" / "horse" / "0.png", 0)
    with pytest.raises(UserError, match=r"pets/test has classes that .*pets/train does not have: horse"):
        load(folder, "test")


def test_class_of_files_that_are_not_read_is_named(folder: Path) -> None:
    (folder / "train" / "eel").mkdir()
    assert load(folder, "train").class_names == ("cat", "dog", "eel")
    save(folder / "train" / "eel" / "0.tif", 0)
    with pytest.raises(UserError, match=r"train/eel holds 0\.tif and no image that is read here: convert to \.png"):
        load(folder, "train")


def test_images_inside_the_folder_of_a_class_are_named(folder: Path) -> None:
    (folder / "train" / "cat" / "notes").mkdir()
    (folder / "train" / "cat" / "notes" / "cat.txt").write_text("no image", encoding="utf-8")
    assert len(load(folder, "train")) == 8
    save(folder / "train" / "cat" / "old" / "black" / "0.PNG", 0)
    with pytest.raises(UserError, match=r"train/cat/old holds images inside the folder of a class, where none is read"):
        load(folder, "train")


def without_folders(folder: Path, split: str) -> None:
    """Take the images of a split out of their class folders."""
    for name in ("cat", "dog"):
        for path in (folder / split / name).iterdir():
            path.rename(folder / split / f"{name}-{path.name}")
        (folder / split / name).rmdir()


def test_training_images_without_class_folders_have_no_labels_and_the_same_order(folder: Path) -> None:
    with_labels, test = load(folder, "train"), load(folder, "test")
    without_folders(folder, "train")
    split = load(folder, "train")
    assert torch.equal(split.images, with_labels.images)
    assert split.labels.tolist() == [-1] * 8
    assert not split.labelled
    assert split.class_names == test.class_names == load(folder, "test").class_names == ("cat", "dog")
    assert torch.equal(load(folder, "test").labels, test.labels)


def test_arrays_without_training_labels_are_a_target(tmp_path: Path) -> None:
    images = np.arange(6 * 8 * 8, dtype=np.uint8).reshape(6, 8, 8)
    np.savez(tmp_path / "a.npz", train_images=images, test_images=images[:3], test_labels=[0, 2, 1])
    train, test = (load_split(find_domain(f"npz:{tmp_path / 'a.npz'}"), split, tmp_path) for split in ("train", "test"))
    assert train.labels.tolist() == [-1] * 6
    assert test.labels.tolist() == [0, 2, 1]
    assert train.class_names == test.class_names == ("0", "1", "2")
    np.savez(tmp_path / "a.npz", train_images=images, test_images=images[:3], test_labels=[0, 2, 3])
    with pytest.raises(UserError, match="labels up to 3 and no test image of class 1"):
        load_split(find_domain(f"npz:{tmp_path / 'a.npz'}"), "train", tmp_path)


def test_what_needs_labels_says_so(folder: Path) -> None:
    labelled = folder.parent / "drawings"
    shutil.copytree(folder, labelled)
    without_folders(folder, "train")
    with_labels, without, root = f"folder:{labelled}", f"folder:{folder}", folder.parent / "root"
    task = load_task("embedded", with_labels, without, root)
    assert torch.equal(task.target_train, load_task("embedded", with_labels, with_labels, root).target_train)
    with pytest.raises(
        UserError, match=r"pets train has no labels, which a source is learnt by; to label them, put images as"
    ):
        load_task("embedded", without, with_labels, root)
    with pytest.raises(UserError, match=r"pets train has no labels, which the supervised ceiling"):
        target_training_labels("embedded", without, with_labels, root)


def test_images_that_nobody_has_labelled_are_a_target(folder: Path) -> None:
    labelled, loose = folder.parent / "drawings", folder.parent / "loose"
    shutil.copytree(folder, labelled)
    without_folders(folder, "train")
    without_folders(folder, "test")
    loose.mkdir()
    for path in (folder / "train").iterdir():
        shutil.copy(path, loose)
    root = folder.parent / "root"
    known, unknown, whole = (
        load_task("embedded", f"folder:{labelled}", f"folder:{each}", root) for each in (labelled, folder, loose)
    )
    assert load(folder, "test").class_names == ()
    for task in (unknown, whole):
        assert (task.class_names, task.target_test.class_names) == (("cat", "dog"), ("cat", "dog"))
        assert not task.target_test.labelled
        assert torch.equal(task.target_train, known.target_train)
    assert torch.equal(unknown.target_test.images, known.target_test.images)
    assert torch.equal(whole.target_test.images, whole.target_train)
    assert {file.name for file in whole.files if "loose" in file.name} == {str(loose)}


def test_arrays_that_nobody_has_labelled_are_a_target(tmp_path: Path) -> None:
    images = np.arange(6 * 8 * 8, dtype=np.uint8).reshape(6, 8, 8)
    path = tmp_path / "a.npz"

    def splits() -> list[Split]:
        return [load_split(find_domain(f"npz:{path}"), split, tmp_path) for split in ("train", "test")]

    np.savez(path, train_images=images, test_images=images[:2])
    assert [split.labels.tolist() for split in splits()] == [[-1] * 6, [-1] * 2]
    np.savez(path, train_images=images)
    train, test = splits()
    assert torch.equal(train.images, test.images)
    assert (train.class_names, test.labels.tolist()) == ((), [-1] * 6)
    np.savez(path, test_images=images)
    with pytest.raises(UserError, match=r"a\.npz lacks train_images"):
        splits()


def test_a_split_without_an_image_is_named(folder: Path) -> None:
    without_folders(folder, "train")
    shutil.rmtree(folder / "test")
    (folder / "test").mkdir()
    for split in ("train", "test"):
        with pytest.raises(UserError, match=r"pets/test holds no image; domain folder:.*pets should hold images as"):
            load(folder, split)


def test_a_sample_with_labels_needs_no_training_images_to_be_evaluated_on(folder: Path) -> None:
    before = load(folder, "test")
    shutil.rmtree(folder / "train")
    after = load(folder, "test")
    assert torch.equal(before.images, after.images)
    assert torch.equal(before.labels, after.labels)
    with pytest.raises(UserError, match=r"pets/train does not exist"):
        load(folder, "train")


def test_a_source_needs_labels_to_be_validated_on(folder: Path) -> None:
    other = folder.parent / "drawings"
    shutil.copytree(folder, other)
    without_folders(folder, "test")
    with pytest.raises(UserError, match=r"pets test has no labels, which validators compare with; to label them, put"):
        load_task("embedded", f"folder:{folder}", f"folder:{other}", folder.parent / "root")


def test_images_beside_class_folders_are_named(folder: Path) -> None:
    save(folder / "train" / ".9.png", 0)
    assert len(load(folder, "test")) == 4
    save(folder / "train" / "9.png", 0)
    with pytest.raises(UserError, match=r"train/9\.png stands beside class folders \(cat, dog\): put it into the one"):
        load(folder, "test")


def test_one_folder_has_one_name(folder: Path) -> None:
    names = {find_domain(f"folder:{folder}{end}").name for end in ("", "/", "/.", "//")}
    assert names == {f"folder:{folder}"}
    assert find_domain("npz:./a.npz").name == "npz:a.npz"


def test_a_class_without_an_image_is_noted_where_it_is_seen_without_target_training_labels(folder: Path) -> None:
    other = folder.parent / "drawings"
    shutil.copytree(folder, other)
    roots = f"folder:{folder}", f"folder:{other}"
    assert load_task("embedded", *roots, folder.parent / "root").notes == ()
    for place in (folder / "train" / "dog", other / "train" / "cat", other / "test" / "dog"):
        shutil.rmtree(place)
        place.mkdir()
    notes = load_task("embedded", *roots, folder.parent / "root").notes
    assert notes == ("no image of dog in pets train", "no image of dog in drawings test")


def test_images_that_are_not_read_beside_others_are_named(folder: Path) -> None:
    save(folder / "train" / "cat" / "9.tif", 0)
    with pytest.raises(UserError, match=r"cat/9\.tif is an image of a form that is not read here: convert to \.png"):
        load(folder, "train")


@pytest.mark.parametrize("ending", [".tif", ".ppm"])
def test_images_of_no_split_that_are_not_read_are_named(ending: str, tmp_path: Path) -> None:
    save(tmp_path / "scans" / f"0{ending}", 0)
    with pytest.raises(UserError, match=rf"scans holds 0\{ending} and no image that is read here: convert to \.png"):
        load(tmp_path / "scans", "train")


@pytest.mark.parametrize(
    ("orientation", "seen"),
    [
        (1, [[10, 20, 30], [40, 50, 60]]),
        (2, [[30, 20, 10], [60, 50, 40]]),
        (3, [[60, 50, 40], [30, 20, 10]]),
        (4, [[40, 50, 60], [10, 20, 30]]),
        (5, [[10, 40], [20, 50], [30, 60]]),
        (6, [[40, 10], [50, 20], [60, 30]]),
        (7, [[60, 30], [50, 20], [40, 10]]),
        (8, [[30, 60], [20, 50], [10, 40]]),
    ],
)
def test_photographs_are_read_upright(orientation: int, seen: list[list[int]], tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[10, 20, 30], [40, 50, 60]], dtype=np.uint8))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image.save(tmp_path / "photo.png", exif=exif)
    assert read_image(tmp_path / "photo.png").tolist() == [seen]
    assert size_of(tmp_path / "photo.png") == (len(seen[0]), len(seen))


def test_what_is_drawn_in_transparency_alone_is_named_and_an_opaque_image_read(folder: Path) -> None:
    path = folder / "train" / "cat" / "0.png"
    save(path, (10, 20, 30, 255), mode="RGBA")
    assert load(folder, "train").images.shape[1] == 3
    save(path, (0, 0, 0, 128), mode="RGBA")
    with pytest.raises(UserError, match=r"train/cat/0\.png has transparent pixels: put it on a background first"):
        load(folder, "train")


def test_broken_and_deep_images_are_named(folder: Path) -> None:
    path = folder / "train" / "cat" / "0.png"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"cat/0\.png is not a readable image"):
        load(folder, "train")
    Image.fromarray(np.full((20, 20), 4000, dtype=np.uint16)).save(path)
    with pytest.raises(UserError, match=r"cat/0\.png has more than 8 bits per pixel"):
        load(folder, "train")


ARRAYS: dict[str, Any] = {
    "train_images": np.arange(6 * 8 * 8 * 3, dtype=np.uint64).astype(np.uint8).reshape(6, 8, 8, 3),
    "train_labels": np.array([0, 1, 2, 0, 1, 2]),
    "test_images": np.zeros((2, 8, 8, 3), dtype=np.uint8),
    "test_labels": np.array([0, 1], dtype=np.uint8),
}


def load_arrays(tmp_path: Path, split: str = "train", **changes: Any) -> Split:
    path = tmp_path / "own.npz"
    np.savez(path, **{key: value for key, value in {**ARRAYS, **changes}.items() if value is not None})
    return load_split(find_domain(f"npz:{path}"), split, tmp_path)


def test_npz_in_each_layout(tmp_path: Path) -> None:
    expected = torch.from_numpy(ARRAYS["train_images"].transpose(0, 3, 1, 2).copy())
    last = load_arrays(tmp_path)
    assert torch.equal(last.images, expected)
    assert last.class_names == ("0", "1", "2")
    assert last.files[0].name == "own.npz"
    assert torch.equal(load_arrays(tmp_path, train_images=expected.numpy()).images, expected)
    grey = load_arrays(tmp_path, train_images=ARRAYS["train_images"][..., 0])
    assert torch.equal(grey.images, expected[:, :1])
    test = load_arrays(tmp_path, "test", class_names=np.array(["a", "b", "c"]))
    assert test.class_names == ("a", "b", "c")
    assert test.labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"train_images": None}, "lacks train_images"),
        ({"test_labels": None}, "lacks test_labels"),
        ({"train_images": np.zeros((6, 8, 8), dtype=np.float32)}, "train_images is float32"),
        ({"train_images": np.zeros((6, 8, 8, 4), dtype=np.uint8)}, "no dimension is the 1 or 3 channels"),
        ({"train_images": np.zeros((6, 3, 8, 3), dtype=np.uint8)}, "both the second and the last dimension"),
        ({"train_labels": np.array([0.0, 1, 2, 0, 1, 2])}, "train_labels must be one-dimensional, of integers"),
        ({"train_labels": np.array([0, -1, 2, 0, 1, 2])}, "train_labels must be one-dimensional, of integers"),
        ({"train_labels": np.array([1, 2, 3, 1, 2, 3])}, "has labels up to 3 and no training image of class 0: number"),
        ({"train_labels": np.array([0, 3, 1, 0, 1, 3])}, "has labels up to 3 and no training image of class 2: number"),
        ({"test_labels": np.array([0, 3])}, "has labels up to 3 and no training image of class 3: number"),
        ({"train_labels": np.array([0, 2**63 + 5], np.uint64)}, "train_labels must be one-dimensional, of integers"),
        ({"train_images": np.zeros((6, 0, 8, 3), dtype=np.uint8)}, "dimensions above 0"),
        ({"train_labels": np.array([0, 1])}, "holds 2 train labels for 6 images"),
        ({"class_names": np.array(["a", "b"])}, r"one for each label 0\.\.2"),
        (
            {"class_names": np.array(["a", None, "c"], dtype=object)},
            "class_names holds Python's objects, .* strings by ast",
        ),
        ({"class_names": np.array("abc")}, "class_names is a single value, not an array"),
    ],
)
def test_wrong_npz_is_named(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(UserError, match=rf"own\.npz.*{problem}"):
        load_arrays(tmp_path, **changes)


def test_missing_and_truncated_npz_are_named(tmp_path: Path) -> None:
    load_arrays(tmp_path)
    path = tmp_path / "own.npz"
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UserError, match=r"own\.npz is not a readable \.npz file"):
        load_split(find_domain(f"npz:{path}"), "train", tmp_path)
    np.save(path.with_suffix(".npy"), np.zeros(3))
    for content in (path.with_suffix(".npy").read_bytes(), b"no arrays\n", b""):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"own\.npz is not a readable \.npz file of arrays; numpy\.savez writes"):
            load_split(find_domain(f"npz:{path}"), "train", tmp_path)
    path.unlink()
    with pytest.raises(UserError, match=r"own\.npz does not exist; it should hold the arrays train_images"):
        load_split(find_domain(f"npz:{path}"), "train", tmp_path)

"""``uda predict``: files without labels are classified as an evaluation classifies the same images."""

import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.conftest import Uda, refused
from tests.training.test_run import config_of
from tests.training.test_unlabelled import forget_labels
from uda.training.run import train


@pytest.fixture
def checkpoint(pair: tuple[str, str], tmp_path: Path) -> Path:
    config = config_of("adda", pair, width=4, steps=20)
    return train(config, tmp_path, tmp_path / "runs", quiet=True) / "checkpoint.pt"


@pytest.fixture
def images(pair: tuple[str, str], tmp_path: Path) -> Path:
    """The target's test images as files, by their place, some in a folder of their own."""
    folder = tmp_path / "mine"
    (folder / "more").mkdir(parents=True)
    with np.load(pair[1].removeprefix("npz:")) as arrays:
        for place, image in enumerate(arrays["test_images"]):
            Image.fromarray(image).save(folder / ("more" if place >= 40 else "") / f"{place:02}.png")
    (folder / "notes.txt").write_text("no image", encoding="utf-8")
    (folder / ".hidden.png").write_bytes(b"no image")
    return folder


@pytest.mark.parametrize("weights", ["last", "pick"])
@pytest.mark.parametrize("side", ["source", "target"])
def test_files_are_classified_as_the_same_images_of_a_domain_are(
    weights: str, side: str, uda: Uda, checkpoint: Path, images: Path, tmp_path: Path
) -> None:
    how = ("--checkpoint", checkpoint, "--weights", weights, "--as", side)
    result = uda("predict", images, *how, "-o", tmp_path / "new" / "mine.csv")
    assert (result.exit_code, result.stdout) == (0, f"wrote {tmp_path / 'new' / 'mine.csv'}\n"), result.output
    assert uda("eval", *how, "--predictions", tmp_path / "domain.csv").exit_code == 0
    found, expected = pd.read_csv(tmp_path / "new" / "mine.csv"), pd.read_csv(tmp_path / "domain.csv")
    assert list(found.columns) == ["file", "predicted", "confidence", *(f"probability {k}" for k in range(3))]
    assert [Path(file).stem for file in found["file"]] == [f"{place:02}" for place in range(48)]
    assert found["file"][47] == str(images / "more" / "47.png")
    pd.testing.assert_frame_equal(found.drop(columns="file"), expected[list(found.columns[1:])])


def write_sample(folder: Path, colour: bool) -> list[Path]:
    """Write noise of three classes in sizes that differ, the last image in colour if wanted; return all, by name."""
    rng = np.random.default_rng(0)
    files = [folder / "test" / f"{place % 3}" / f"{place}.png" for place in range(9)]
    for place, file in enumerate(files):
        file.parent.mkdir(parents=True, exist_ok=True)
        shape = (40 - 3 * place, 50, 3) if colour and place == 8 else (40 - 3 * place, 50)
        Image.fromarray(rng.integers(0, 256, shape).astype(np.uint8)).save(file)
    return sorted(files)


@pytest.mark.parametrize("colour", [False, True])
def test_files_of_mixed_sizes_are_read_as_a_folder_reads_them(
    colour: bool, uda: Uda, checkpoint: Path, tmp_path: Path
) -> None:
    files = write_sample(tmp_path / "sample", colour)
    how = ("--checkpoint", checkpoint)
    assert uda("predict", tmp_path / "sample", *how, "-o", tmp_path / "files.csv").exit_code == 0
    evaluated = uda("eval", *how, "--domain", f"folder:{tmp_path / 'sample'}", "--predictions", tmp_path / "domain.csv")
    assert evaluated.exit_code == 0, evaluated.output
    found, expected = (pd.read_csv(tmp_path / name, dtype=str) for name in ("files.csv", "domain.csv"))
    assert list(found["file"]) == [str(file) for file in files]
    by_content = sorted(range(9), key=lambda place: hashlib.md5(files[place].read_bytes()).hexdigest())
    bits = [name for name in found.columns if name != "file"]
    assert found.loc[by_content, bits].values.tolist() == expected[bits].values.tolist()


def test_a_name_that_is_not_utf8_is_written_as_it_is(uda: Uda, checkpoint: Path, images: Path, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff.png")
    try:
        odd.write_bytes((images / "03.png").read_bytes())
    except OSError:
        pytest.skip("the file system refuses such a name")
    table = tmp_path / "odd.csv"
    result = uda("predict", odd, "--checkpoint", checkpoint, "-o", table)
    assert (result.exit_code, result.stdout) == (0, f"wrote {table}\n"), result.output
    lines = table.read_bytes().splitlines()
    assert lines[1].startswith(os.fsencode(odd) + b",")
    shown = uda("predict", odd, "--checkpoint", checkpoint)
    assert shown.stdout_bytes.splitlines() == lines


def test_arrays_without_labels_are_classified_by_number(
    uda: Uda, checkpoint: Path, pair: tuple[str, str], tmp_path: Path
) -> None:
    how = ("--checkpoint", checkpoint)
    assert uda("eval", *how, "--predictions", tmp_path / "domain.csv").exit_code == 0
    forget_labels(Path(pair[1].removeprefix("npz:")))
    result = uda("predict", pair[1], *how, "-o", tmp_path / "arrays.csv")
    assert result.exit_code == 0, result.output
    found, expected = (pd.read_csv(tmp_path / name, dtype=str) for name in ("arrays.csv", "domain.csv"))
    assert list(found.columns) == [name for name in expected.columns if name not in ("label", "correct")]
    assert found.equals(expected[list(found.columns)])


def test_without_a_file_the_table_is_printed_and_counts_are_told_beside_it(
    uda: Uda, checkpoint: Path, images: Path
) -> None:
    two = images / "03.png", images / "more" / "41.png"
    result = uda("predict", *two, two[0], "--checkpoint", checkpoint)
    table = pd.read_csv(io.StringIO(result.stdout), dtype={"predicted": str})
    assert list(table["file"]) == [str(file) for file in two]
    counts = [f"{name} {(table['predicted'] == name).sum()} " for name in "012"]
    assert result.stderr.startswith("2 images: ")
    assert all(count in result.stderr for count in counts)


def test_links_are_followed_and_broken_ones_named(uda: Uda, checkpoint: Path, images: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "theirs").symlink_to(images)
    (images / "more" / "up").symlink_to(images)
    through, straight = (uda("predict", each, "--checkpoint", checkpoint) for each in (linked, images))
    tables = [pd.read_csv(io.StringIO(result.stdout)) for result in (through, straight)]
    assert tables[0].drop(columns="file").equals(tables[1].drop(columns="file"))
    assert len(tables[1]) > 40
    (linked / "lost.png").symlink_to(tmp_path / "nowhere.png")
    assert "lost.png: No such file" in refused(uda("predict", linked, "--checkpoint", checkpoint))


def test_what_cannot_be_read_is_one_sentence(uda: Uda, checkpoint: Path, images: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.png").write_bytes(b"PNG?")
    (tmp_path / "scans" / "old").mkdir(parents=True)
    for name in ("0.tif", "a.npz", "scans/0.png", "scans/old/1.GIF"):
        (tmp_path / name).touch()
    for wrong, sentence in (
        (tmp_path / "empty", "empty: no folder with images in it (.bmp, "),
        (tmp_path / "nowhere", "nowhere does not exist: "),
        (tmp_path / "a.npz", "a.npz: arrays are given as npz:"),
        (tmp_path / "0.tif", "0.tif is an image of a form that is not read here: convert to .png"),
        (tmp_path / "scans", "1.GIF is an image of a form that is not read here: convert to .png"),
        (f"npz:{tmp_path / 'none.npz'}", "none.npz does not exist; it should hold the arrays"),
        (images / "notes.txt", "notes.txt: its ending is none of images that are read"),
        (tmp_path / "broken.png", "broken.png is not a readable image"),
    ):
        assert sentence in refused(uda("predict", wrong, "--checkpoint", checkpoint))
    both = uda("predict", images, f"npz:{tmp_path / 'a.npz'}", "--checkpoint", checkpoint)
    assert "a.npz stands beside other images: give it alone" in refused(both)
    assert "no such checkpoint" in refused(uda("predict", images, "--checkpoint", tmp_path / "none.pt"))
    assert "ends in .csv or .parquet" in refused(uda("predict", images, "--checkpoint", checkpoint, "-o", "p.txt"))

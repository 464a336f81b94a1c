"""``uda predict``: files without labels are classified as an evaluation classifies the same images."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.conftest import Uda, refused
from tests.training.test_run import config_of
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


def test_what_cannot_be_read_is_one_sentence(uda: Uda, checkpoint: Path, images: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.png").write_bytes(b"PNG?")
    for wrong, sentence in (
        (tmp_path / "empty", "empty: no folder with images in it (.png, "),
        (tmp_path / "nowhere", "nowhere: no folder with images in it"),
        (images / "notes.txt", "notes.txt: its ending is none of images that are read"),
        (tmp_path / "broken.png", "broken.png is not a readable image"),
    ):
        assert sentence in refused(uda("predict", wrong, "--checkpoint", checkpoint))
    assert "no such checkpoint" in refused(uda("predict", images, "--checkpoint", tmp_path / "none.pt"))
    assert "ends in .csv or .parquet" in refused(uda("predict", images, "--checkpoint", checkpoint, "-o", "p.txt"))

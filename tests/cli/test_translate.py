from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from tests.evaluation.examples import tiny_run
from uda.cli.main import cli


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run(tmp_path_factory.mktemp("run"), "unit")


def picture(run: Path, tmp_path: Path, *options: str) -> Image.Image:
    output = tmp_path / "grid.png"
    command = ["translate", "--checkpoint", str(run / "checkpoint.pt"), "-o", str(output), "--data-root", str(tmp_path)]
    done = CliRunner().invoke(cli, [*command, *options])
    assert (done.exit_code, done.stdout) == (0, f"wrote {output}\n"), done.output
    with Image.open(output) as image:
        image.load()
    return image


def test_both_directions_stand_side_by_side(run: Path, tmp_path: Path) -> None:
    both = picture(run, tmp_path, "--rows", "3")
    one = picture(run, tmp_path, "--rows", "3", "--direction", "source-to-target")
    assert (both.width, both.height) == (2 * one.width, one.height)


def test_rows_and_layout_shape_the_picture(run: Path, tmp_path: Path) -> None:
    three, six = (picture(run, tmp_path, "--rows", rows) for rows in ("3", "6"))
    assert six.height > 1.5 * three.height
    wide, compact = (picture(run, tmp_path, "--layout", layout) for layout in ("wide", "compact"))
    assert wide.width > wide.height > compact.height


def test_a_folder_of_images(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("RGB", (20, 20), (10, 200, 30)).save(folder / "green.png")
    picture(run, tmp_path, "--images", str(folder))


def test_wrong_folder_is_an_error(run: Path, tmp_path: Path) -> None:
    command = ["translate", "--checkpoint", str(run / "checkpoint.pt"), "-o", str(tmp_path / "x.png")]
    done = CliRunner().invoke(cli, [*command, "--images", str(tmp_path / "nowhere")])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / "x.png").exists()

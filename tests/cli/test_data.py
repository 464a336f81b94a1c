"""``uda data`` from the command line: what it prints, writes and refuses."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from uda.cli.main import cli


@pytest.fixture
def own(tmp_path: Path) -> str:
    """A domain of 3 classes in a .npz file: class k is k * 100 all over."""
    labels = np.arange(30) % 3
    images = np.broadcast_to((labels * 100).astype(np.uint8)[:, None, None], (30, 8, 8))
    path = tmp_path / "own.npz"
    np.savez(path, train_images=images, train_labels=labels, test_images=images[:9], test_labels=labels[:9])
    return f"npz:{path}"


def run(*arguments: str, root: Path) -> Result:
    return CliRunner().invoke(cli, ["data", *arguments], env={"UDA_DATA": str(root)})


def test_list_shows_domains_their_state_and_protocols(tmp_path: Path) -> None:
    (tmp_path / "USPS").mkdir()
    (tmp_path / "USPS" / "usps.t.bz2").write_bytes(bytes(1_500_000))
    result = run("list", root=tmp_path)
    assert result.exit_code == 0
    for name in (
        "mnist",
        "usps-esl",
        "svhn",
        "rendered",
        "folder:PATH",
        "unit-2017-train",
        "cogan-small",
        "cogan-full",
        "cogan-padded",
    ):
        assert name in result.output
    assert "test        present, 1.5 MB" in result.output
    assert f"missing: {tmp_path / 'USPS' / 'usps.bz2'}" in result.output


def test_prepare_does_what_it_can_and_names_the_rest(tmp_path: Path) -> None:
    result = run("prepare", "syndigits", "optdigits", "mnistm", root=tmp_path)
    assert result.exit_code == 2
    assert "optdigits: built in, nothing to download" in result.stdout
    assert result.stderr.startswith("error: syndigits cannot be downloaded automatically: get SynthDigits")
    assert "mnistm cannot be downloaded automatically: get mnist_m.tar.gz from http" in result.stderr


def test_verify_counts_and_finds_damage(tmp_path: Path, own: str) -> None:
    result = run("verify", own, "optdigits", root=tmp_path)
    assert result.exit_code == 0
    assert f"{own} train: 30 images 1x8x8, 3 classes" in result.output
    assert "unverified md5:" in result.output
    assert "built in" in result.output

    (tmp_path / "SVHN").mkdir()
    (tmp_path / "SVHN" / "test_32x32.mat").write_bytes(b"nothing of the kind")
    result = run("verify", "svhn", root=tmp_path)
    assert result.exit_code == 2
    assert "svhn test: BROKEN: " in result.stdout
    assert result.stderr == "error: missing or damaged: svhn train, svhn test; the files are named above\n"


def test_preview_has_one_row_per_class(tmp_path: Path, own: str) -> None:
    sheet = tmp_path / "sheets" / "own.png"
    result = run("preview", own, "--columns", "5", "-o", str(sheet), root=tmp_path)
    assert result.exit_code == 0
    assert result.output == f"wrote {sheet}\n"
    with Image.open(sheet) as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (22 + 3 * 60 + 4, 110 + 5 * 60, 3)
    for row, value in enumerate((0, 100, 200)):
        assert (pixels[22 + 60 * row : 22 + 60 * row + 56, 110:166] == value).all()


def test_preview_of_a_pair_shows_the_protocol(tmp_path: Path, own: str) -> None:
    sheet = tmp_path / "pair.png"
    result = run("preview", own, own, "--protocol", "embedded", "-o", str(sheet), root=tmp_path)
    assert result.exit_code == 0
    assert result.output.startswith("protocol embedded: ")
    with Image.open(sheet) as picture:
        assert picture.width == 110 + 12 * 68  # 4 times 16 pixels and a margin of 4


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("preview", "optdigit"), "unknown domain 'optdigit': did you mean 'optdigits'"),
        (("preview", "optdigits", "--split", "val"), "unknown split of optdigits 'val'"),
        (("preview", "optdigits", "-o", "sheet.jpg"), "sheet.jpg must end in .png"),
        (("preview", "optdigits", "--protocol", "standard"), "--protocol needs a pair"),
        (("preview", "optdigits", "rendered", "--protocol", "std"), "unknown protocol 'std'"),
        (("preview", "optdigits", "rendered", "--split", "test"), "--split test is for one domain: a pair is shown as"),
        (("preview", "mnist"), "uda data prepare mnist --data-root"),
        (("prepare", "mnist", "--split", "extra"), "mnist has no split 'extra'"),
    ],
)
def test_wrong_requests_are_one_sentence(tmp_path: Path, arguments: tuple[str, ...], problem: str) -> None:
    result = run(*arguments, root=tmp_path)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1

"""Domains that need no file: counts, determinism, and that both polarities and all digits occur."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from PIL.ImageFont import FreeTypeFont
from sklearn.datasets import load_digits

from uda.data import builtin
from uda.data.domains import find_domain, load_split


def test_optdigits_are_scikit_learns_in_two_parts(tmp_path: Path) -> None:
    train, test = (load_split(find_domain("optdigits"), split, tmp_path) for split in ("train", "test"))
    content = load_digits()
    assert (len(train), len(test)) == (1200, 597)
    assert train.images.shape[1:] == (1, 8, 8)
    images, labels = torch.cat([train.images, test.images]), torch.cat([train.labels, test.labels])
    assert np.abs(images[:, 0].numpy() / 255 * 16 - content.images).max() < 0.04
    assert np.array_equal(labels.numpy(), content.target)
    assert images.max() == 255


def test_rendered_is_deterministic_and_balanced() -> None:
    images, labels = builtin.render_digits(200, seed=3)
    again, same_labels = builtin.render_digits(200, seed=3)
    other, _ = builtin.render_digits(200, seed=4)
    assert images.shape == (200, 1, 32, 32)
    assert images.dtype == torch.uint8
    assert torch.equal(images, again)
    assert torch.equal(labels, same_labels)
    assert not torch.equal(images, other)
    assert torch.bincount(labels).tolist() == [20] * 10


def test_rendered_has_both_polarities_and_no_empty_image() -> None:
    images, _ = builtin.render_digits(200, seed=0)
    border = torch.cat([images[:, 0, 0], images[:, 0, -1]], dim=1).float().mean(1)
    assert 0.3 < (border > 128).float().mean() < 0.7
    assert images.float().std(dim=(1, 2, 3)).min() > 15


@pytest.mark.parametrize("digit", "0123456789")
def test_digits_lie_whole_within_the_image(digit: str) -> None:
    rng = np.random.default_rng(0)
    for font in builtin.open_fonts():
        coverage = builtin.place_digit(digit, font, rng)
        rows, _ = np.nonzero(coverage > 0.5)
        assert len(rows) >= 20
        assert np.ptp(rows) >= 12, "a digit is at least half as high as the image"
        edges = np.concatenate([coverage[0], coverage[-1], coverage[:, 0], coverage[:, -1]])
        assert edges.mean() < 0.2, "nothing but a tip touches the edge"


def test_rendered_digits_of_different_fonts_look_alike() -> None:
    """Digits correlate best with the other fonts' mean of the same digit: no font holds symbols.

    Symbols would be right by chance, one in ten; thin and slanted digits (cmti10) are right half of the time.
    """
    fonts = builtin.open_fonts()
    shapes = np.array([[upright(digit, font) for digit in "0123456789"] for font in fonts])
    right = np.zeros((len(fonts), 10))
    for index in range(len(fonts)):
        others = np.delete(shapes, index, axis=0).mean(axis=0)
        correlation = np.einsum("ihw,jhw->ij", shapes[index], others) / np.linalg.norm(others, axis=(1, 2))
        right[index] = correlation.argmax(axis=1) == np.arange(10)
    assert right.mean(axis=1).min() >= 0.4
    assert right.mean() >= 0.95


def upright(digit: str, font: FreeTypeFont) -> builtin.Canvas:
    left, top, right, bottom = (int(edge) for edge in font.getbbox(digit))
    glyph = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(glyph).text((-left, -top), digit, fill=255, font=font)
    shape: builtin.Canvas = np.asarray(glyph.resize((12, 18)), dtype=np.float64) / 255
    shape -= shape.mean()
    return shape


def test_rendered_is_drawn_once(tmp_path: Path) -> None:
    first = builtin.cached_digits(tmp_path, "train", 30, 0)
    (path,) = (tmp_path / ".cache").iterdir()
    written = path.stat().st_mtime_ns
    again = builtin.cached_digits(tmp_path, "train", 30, 0)
    assert path.stat().st_mtime_ns == written
    assert torch.equal(first["images"], again["images"])
    builtin.cached_digits(tmp_path, "train", 31, 0)
    assert len(list((tmp_path / ".cache").iterdir())) == 2


def test_rendered_domain_has_other_digits_to_test_on(tmp_path: Path) -> None:
    train, test = (load_split(find_domain("rendered"), split, tmp_path) for split in ("train", "test"))
    assert (len(train), len(test)) == (6000, 2000)
    seen = {image.numpy().tobytes() for image in train.images}
    assert not any(image.numpy().tobytes() in seen for image in test.images)

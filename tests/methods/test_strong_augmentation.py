"""Strong augmentation: each operation against its definition, PIL's where PIL has it."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from uda.methods.strong_augmentation import OPERATIONS, cut_out, distort, recolour, strongly_augment


def only(*names: str, count: int) -> dict[str, torch.Tensor]:
    return {name: torch.full((count,), float(name in names)) for name in OPERATIONS}


def images_of(count: int, side: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (count, 1, side, side), generator=generator) / 127.5 - 1.0


def plane(side: int) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    """An image whose values are 0.3 x - 0.2 y (bilinear sampling is exact on it), and x and y of its pixels."""
    centres = (np.arange(side) + 0.5) * 2 / side - 1
    y, x = np.meshgrid(centres, centres, indexing="ij")
    return torch.from_numpy(0.3 * x - 0.2 * y).float()[None, None], x, y


def test_distortion_is_the_product_of_its_maps() -> None:
    image, x, y = plane(32)
    names = OPERATIONS[:5]
    torch.manual_seed(7)
    moved = distort(image.expand(6, -1, -1, -1), only(*names, count=6))
    torch.manual_seed(7)
    amounts = (2 * torch.rand(5, 6) - 1).numpy()
    for i in range(6):
        angle, a, b = np.radians(30) * amounts[0, i], 0.3 * amounts[1, i], 0.3 * amounts[2, i]
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        where = turn @ np.array([[1, a], [0, 1]]) @ np.array([[1, 0], [b, 1]]) @ np.stack([x.ravel(), y.ravel()])
        where += 0.6 * amounts[3:, i, None]
        inside = (np.abs(where) < 1 - 1 / 32).all(0)
        assert inside.mean() > 0.3
        expected = (0.3 * where[0] - 0.2 * where[1])[inside]
        np.testing.assert_allclose(moved[i].numpy().ravel()[inside], expected, atol=1e-5)
        outside = (np.abs(where) > 1 + 1 / 32).any(0)
        np.testing.assert_allclose(moved[i].numpy().ravel()[outside], -1.0, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "by_pil"),
    [
        ("brightness", lambda image, amount: ImageEnhance.Brightness(image).enhance(0.05 + 0.9 * amount)),
        ("contrast", lambda image, amount: ImageEnhance.Contrast(image).enhance(0.05 + 0.9 * amount)),
        ("solarize", lambda image, amount: ImageOps.solarize(image, math.ceil(255 * amount))),
        ("posterize", lambda image, amount: ImageOps.posterize(image, 8 - int(5 * amount))),
    ],
)
def test_colours_change_as_in_pil(name: str, by_pil: Callable[[Image.Image, float], Image.Image]) -> None:
    images = images_of(12)
    torch.manual_seed(5)
    changed = recolour(images, only(name, count=12))
    torch.manual_seed(5)
    amounts = torch.rand(4, 12, 1, 1, 1)[["brightness", "contrast", "solarize", "posterize"].index(name)]
    levels = ((images + 1) * 127.5).round().to(torch.uint8)
    for image, level, amount in zip(changed, levels, amounts.flatten().tolist(), strict=True):
        expected = np.asarray(by_pil(Image.fromarray(level[0].numpy()), amount)).astype(float)
        # PIL keeps whole numbers, of the mean too
        np.testing.assert_allclose((image[0].numpy() + 1) * 127.5, expected, atol=1.5)
    assert not torch.allclose(changed, images, atol=0.02)


def test_what_is_not_drawn_changes_nothing() -> None:
    images = images_of(4)
    nothing = only(count=4)
    torch.testing.assert_close(distort(images, nothing), images, rtol=0, atol=1e-5)
    torch.testing.assert_close(recolour(images, nothing), images, rtol=0, atol=1e-6)


def test_cutout_fills_one_square_with_grey() -> None:
    torch.manual_seed(11)
    cut = cut_out(torch.ones(50, 3, 20, 20))
    torch.manual_seed(11)
    side, row, column = torch.rand(3, 50).numpy()
    places = (np.arange(20) + 0.5) / 20
    sizes = []
    for i in range(50):
        expected = np.ones((20, 20))
        rows = np.flatnonzero(np.abs(places - row[i]) < side[i] / 4)
        columns = np.flatnonzero(np.abs(places - column[i]) < side[i] / 4)
        expected[np.ix_(rows, columns)] = 0
        sizes.append(max(len(rows), len(columns)))
        for channel in cut[i]:
            np.testing.assert_array_equal(channel.numpy(), expected)
    assert 8 <= max(sizes) <= 10


def test_two_operations_are_drawn_for_each_image_all_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of nine operations and one that does nothing: each is missed by both draws with probability 0.9²."""
    seen: list[dict[str, torch.Tensor]] = []

    def watch(images: torch.Tensor, drawn: dict[str, torch.Tensor]) -> torch.Tensor:
        seen.append(drawn)
        return images

    for name in ("distort", "recolour"):
        monkeypatch.setattr(f"uda.methods.strong_augmentation.{name}", watch)
    torch.manual_seed(2)
    strongly_augment(torch.zeros(10_000, 1, 1, 1))
    drawn, again = seen
    assert all(torch.equal(drawn[name], again[name]) for name in OPERATIONS)
    applied = torch.stack([drawn[name] for name in OPERATIONS])
    assert set(applied.unique().tolist()) == {0.0, 1.0}
    # a standard deviation of a share is 0.004
    np.testing.assert_allclose(applied.mean(1).numpy(), 1 - 0.9**2, atol=0.02)
    counts = applied.sum(0).long().bincount()
    # none: twice the place beyond the last; one: with that place, or the same operation twice
    np.testing.assert_allclose(counts.numpy() / 10_000, [0.01, 0.27, 0.72], atol=0.02)


def test_each_image_is_changed_in_its_own_way_and_as_the_seed_says() -> None:
    images = images_of(1, 16).expand(30, -1, -1, -1)
    torch.manual_seed(1)
    strong = strongly_augment(images)
    torch.manual_seed(1)
    assert torch.equal(strongly_augment(images), strong)
    assert strong.shape == images.shape
    assert len({tuple(image.flatten().tolist()) for image in strong}) == 30
    assert strong.min() >= -1.0001
    assert strong.max() <= 1.0001

"""Resizing is torchvision's, pixel for pixel, however many images there are."""

import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

from uda.data import shaping
from uda.data.domains import Split


def noise(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("nearest", [False, True])
@pytest.mark.parametrize(("before", "after"), [(28, 32), (16, 28), (32, 16), (8, 16)])
def test_resize_equals_torchvision_image_by_image(before: int, after: int, nearest: bool) -> None:
    images = noise(shaping.CHUNK + 3, 1, before, before)
    resized = shaping.resize(images, after, nearest=nearest)
    method = InterpolationMode.NEAREST if nearest else InterpolationMode.BILINEAR
    for index in (0, 17, shaping.CHUNK - 1, shaping.CHUNK, shaping.CHUNK + 2):
        assert torch.equal(resized[index], transforms.resize(images[index], [after, after], method, antialias=True))
    assert resized.is_contiguous()


def test_resize_stretches_what_is_not_square_and_leaves_what_fits() -> None:
    images = noise(5, 3, 20, 40)
    assert torch.equal(shaping.resize(images, 32), transforms.resize(images, [32, 32], antialias=True))
    assert shaping.resize(noise(2, 1, 28, 28), 28).shape == (2, 1, 28, 28)


def test_margins_are_torchvisions_padding_and_none_changes_nothing() -> None:
    images = torch.randint(1, 256, (4, 3, 7, 5), dtype=torch.uint8)
    assert torch.equal(shaping.margined(images, 3), transforms.pad(images, [3]))
    assert shaping.margined(images, 0) is images


def test_channels_repeat_grey_and_weigh_colour() -> None:
    grey, colour = noise(4, 1, 8, 8), noise(4, 3, 8, 8)
    assert torch.equal(shaping.fit_channels(grey, 3), torch.cat([grey] * 3, dim=1))
    assert torch.equal(shaping.fit_channels(colour, 1), transforms.rgb_to_grayscale(colour))
    assert shaping.fit_channels(colour, 3) is colour


def test_balance_repeats_smaller_classes_in_order() -> None:
    labels = torch.tensor([2, 0, 2, 2, 2, 2, 0])
    split = Split(torch.arange(7, dtype=torch.uint8).reshape(7, 1, 1, 1), labels, ("a", "b", "c"))
    balanced = shaping.class_balanced(split)
    assert torch.bincount(balanced.labels, minlength=3).tolist() == [5, 0, 5]
    assert balanced.images.flatten().tolist() == [0, 1, 2, 3, 4, 5, 6, 1, 6, 1]


def test_inverted_copies_follow_with_their_labels() -> None:
    split = Split(noise(3, 1, 4, 4), torch.tensor([2, 0, 1]), ("a", "b", "c"))
    doubled = shaping.inverted_copies(split)
    assert torch.equal(doubled.images[3:], 255 - split.images)
    assert doubled.labels.tolist() == [2, 0, 1, 2, 0, 1]

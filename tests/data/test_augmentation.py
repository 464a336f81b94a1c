"""Augmentation: each switch does what it says, to each image for itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as V

from tests.data.drawn import generator, images_of
from uda.data.augmentation import Augmentation, augment, to_float
from uda.data.texture import draw_textures
from uda.data.tone import bend
from uda.errors import UserError


def test_to_float_meets_the_ends_exactly() -> None:
    ends = torch.tensor([[[[0, 255]]]], dtype=torch.uint8)
    assert to_float(ends).flatten().tolist() == [-1.0, 1.0]


def test_a_shift_moves_whole_pixels_and_black_moves_in() -> None:
    images = images_of(30, 1, 9)
    moved = augment(images, Augmentation(shift=2), generator())
    seen = set()
    for image, out in zip(images, moved, strict=True):
        padded = V.pad(image, [2, 2, 2, 2], fill=0)
        crops = {(i, j): to_float(padded[None, :, i : i + 9, j : j + 9])[0] for i in range(5) for j in range(5)}
        matches = [place for place, crop in crops.items() if torch.allclose(crop, out, atol=1e-4)]
        assert len(matches) == 1
        seen.add(matches[0])
    assert len(seen) > 10


def test_affine_agrees_with_grid_sampling_of_the_drawn_matrix() -> None:
    images = images_of(4, 1, 8)
    out = augment(images, Augmentation(affine=0.2, padding="reflection"), generator())
    matrix = torch.eye(2, 3).repeat(4, 1, 1)
    matrix[:, :, :2] += 0.2 * torch.randn(4, 2, 2, generator=generator())
    grid = torch.nn.functional.affine_grid(matrix, [4, 1, 8, 8], align_corners=False)
    by_hand = torch.nn.functional.grid_sample(to_float(images), grid, padding_mode="reflection", align_corners=False)
    torch.testing.assert_close(out, by_hand)


def test_flip_inverts_some_images_whole_and_leaves_the_others() -> None:
    images = images_of(30, 1, 4)
    out, plain = augment(images, Augmentation(flip=True), generator()), to_float(images)
    signs = {1 if torch.equal(o, p) else -1 if torch.equal(o, -p) else 0 for o, p in zip(out, plain, strict=True)}
    assert signs == {1, -1}


def test_scale_and_offset_are_one_number_per_image_within_their_range() -> None:
    images = images_of(50, 1, 4)
    plain = to_float(images)
    ratio = augment(images, Augmentation(scale_low=0.5, scale_high=1.5), generator()) / plain
    assert ratio.flatten(1).std(1).max() < 1e-5
    assert 0.5 <= ratio.min() < 0.7 < 1.3 < ratio.max() <= 1.5 + 1e-5
    offset = augment(images, Augmentation(offset=0.3), generator()) - plain
    assert offset.flatten(1).std(1).max() < 1e-5
    assert -0.3 - 1e-5 <= offset.min() < -0.2 < 0.2 < offset.max() <= 0.3 + 1e-5


def test_colour_draws_for_each_channel_and_leaves_grey_images_as_they_were() -> None:
    switches: dict[str, Any] = {"flip": True, "scale_low": 0.5, "scale_high": 1.5, "offset": 0.3}
    images = images_of(50, 1, 4)
    drawn = [augment(images, Augmentation(**switches, colour=colour), generator()) for colour in (False, True)]
    assert torch.equal(*drawn)
    grey, plain = images.expand(50, 3, 4, 4), to_float(images).expand(50, 3, 4, 4)
    out = augment(grey, Augmentation(**switches, colour=True), generator())
    lines = [np.polyfit(plain[n, c].flatten(), out[n, c].flatten(), 1) for n in range(50) for c in range(3)]
    factors, offsets = np.array(lines).T.reshape(2, 50, 3)
    assert 0.5 <= np.abs(factors).min() < 0.6 < 1.4 < np.abs(factors).max() <= 1.5 + 1e-4
    assert -0.3 - 1e-4 <= offsets.min() < -0.2 < 0.2 < offsets.max() <= 0.3 + 1e-4
    assert (np.sign(factors).std(1) > 0).mean() == pytest.approx(0.75, abs=0.2)
    assert np.abs(np.corrcoef(np.abs(factors).T) - np.eye(3)).max() < 0.5


@pytest.mark.parametrize("colour", [False, True])
def test_texture_is_a_factor_of_each_place_as_strong_as_each_image_draws_it(colour: bool) -> None:
    images = images_of(60, 3, 16)
    out = augment(images, Augmentation(texture=2.0, colour=colour), generator())
    by_hand = generator()
    strength = 2.0 * torch.rand(60, 1, 1, 1, generator=by_hand)
    field = draw_textures((60, 3 if colour else 1, 16, 16), by_hand)
    torch.testing.assert_close(out, to_float(images) * (1.0 + strength * field))
    relative = (out / to_float(images) - 1.0).std((2, 3)).mean(1)
    assert relative.min() < 0.3
    assert relative.max() > 1.2


def test_texture_comes_before_offset_and_noise_and_after_factors() -> None:
    switches: dict[str, Any] = {"flip": True, "scale_low": 0.5, "scale_high": 1.5, "colour": True}
    images = images_of(8, 3, 8)
    out = augment(images, Augmentation(**switches, texture=1.0, offset=0.5), generator())
    by_hand = generator()
    signs = torch.randint(2, (8, 3, 1, 1), generator=by_hand) * 2.0 - 1.0
    factors = signs * (0.5 + torch.rand(8, 3, 1, 1, generator=by_hand))
    strength = torch.rand(8, 1, 1, 1, generator=by_hand)
    textured = 1.0 + strength * draw_textures((8, 3, 8, 8), by_hand)
    offset = torch.rand(8, 3, 1, 1, generator=by_hand) - 0.5
    torch.testing.assert_close(out, to_float(images) * factors * textured + offset)


def test_tone_comes_first_and_is_drawn_for_each_image() -> None:
    images = images_of(60, 3, 4)
    out = augment(images, Augmentation(tone=4.0, texture=1.0), generator())
    by_hand = generator()
    steepness, threshold = 4.0 * torch.rand(60, 1, 1, 1, generator=by_hand), torch.rand(60, 1, 1, 1, generator=by_hand)
    bent = bend(to_float(images), steepness, 2.0 * threshold - 1.0)
    strength = torch.rand(60, 1, 1, 1, generator=by_hand)
    torch.testing.assert_close(out, bent * (1.0 + strength * draw_textures((60, 1, 4, 4), by_hand)))


def test_noise_has_its_standard_deviation() -> None:
    images = images_of(200, 1, 16)
    noise = augment(images, Augmentation(noise=0.25), generator()) - to_float(images)
    assert noise.std().item() == pytest.approx(0.25, rel=0.02)
    assert abs(noise.mean().item()) < 0.01


@pytest.mark.parametrize(
    "wrong", [{"shift": -1}, {"texture": -0.1}, {"tone": -1.0}, {"padding": "mirror"}, {"scale_low": 2.0}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        Augmentation.from_dict(wrong)


def test_an_unknown_switch_is_named_with_its_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'shift'"):
        Augmentation.from_dict({"shfit": 1})
    with pytest.raises(UserError, match="did you mean 'texture'"):
        Augmentation.from_dict({"of_source": ["textures"]})

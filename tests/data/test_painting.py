"""Painting: ground where a drawing is black, stroke where white; patches as torchvision would cut and turn them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as V

from tests.data.drawn import generator
from uda.data.augmentation import Augmentation, augment, place, recolour, to_float
from uda.data.batches import Batches
from uda.data.painting import cut_patches, paint
from uda.errors import UserError


def pictures_of(count: int = 40, size: int = 16) -> Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def ramp(size: int) -> Tensor:
    """One picture whose two channels are the coordinates of its pixels' centres, as grid sampling counts them."""
    centres = (2 * torch.arange(size) + 1.0) / size - 1
    return torch.stack(torch.meshgrid(centres, centres, indexing="xy"))[None]


def test_black_is_ground_and_white_is_its_negative_or_another_patch_whichever_differs_more() -> None:
    pictures = pictures_of() * torch.linspace(0.05, 1, 40)[:, None, None, None]  # of low and of high contrast
    black, white = (torch.full_like(pictures, value) for value in (-1.0, 1.0))
    ground, stroke = paint(black, pictures, 1.0, generator()), paint(white, pictures, 1.0, generator())
    by_hand = generator()
    assert torch.equal(ground, cut_patches(pictures, by_hand))
    other = cut_patches(pictures.flip(0), by_hand)
    for s, g, o in zip(stroke, ground, other, strict=True):
        torch.testing.assert_close(s, -g if 2 * g.abs().mean() > (o - g).abs().mean() else o)
    negative = [torch.allclose(s, -g) for s, g in zip(stroke, ground, strict=True)]
    assert 5 <= sum(negative) <= 35


def test_grey_lies_between_ground_and_stroke() -> None:
    pictures = pictures_of()
    levels = [paint(torch.full_like(pictures, v), pictures, 1.0, generator()) for v in (-1.0, -0.5, 1.0)]
    torch.testing.assert_close(levels[1], 0.75 * levels[0] + 0.25 * levels[2])


def test_a_share_is_painted_and_the_others_stay() -> None:
    pictures = pictures_of(400, 4)
    drawings = pictures.flip(1)
    painted = paint(drawings, pictures, 0.3, generator())
    changed = (painted != drawings).flatten(1).any(1)
    assert changed.float().mean().item() == pytest.approx(0.3, abs=0.07)
    assert torch.equal(painted[changed], paint(drawings, pictures, 1.0, generator())[changed])


def test_patches_are_turned_squares_of_their_own_picture() -> None:
    size = 24
    patches = cut_patches(ramp(size).expand(300, 2, size, size), generator())
    inner = patches[:, :, 8:16, 8:16]  # not where corners are reflected
    across, down = inner[..., :, 1:] - inner[..., :, :-1], inner[..., 1:, :] - inner[..., :-1, :]
    step_x, step_y = across.mean((2, 3)), down.mean((2, 3))
    sides = step_x.norm(dim=1) * size / 2
    torch.testing.assert_close(step_y, torch.stack([-step_x[:, 1], step_x[:, 0]], 1), atol=2e-2, rtol=0)
    assert 0.24 < sides.min() < 0.3
    assert 0.7 < sides.max() < 0.76
    angles = torch.atan2(step_x[:, 1], step_x[:, 0])
    assert torch.histc(angles, 4, -torch.pi, torch.pi).min() > 40
    centres = inner.mean((2, 3)).abs().amax(1)
    assert (centres <= 1 - sides + 0.02).all()


def test_a_patch_is_what_torchvision_cuts_turns_and_enlarges() -> None:
    picture = V.gaussian_blur(pictures_of(1, 64), [9, 9])
    patch = cut_patches(picture, generator())
    side, angle, across, down = torch.rand(4, 1, generator=generator()).flatten().tolist()
    side = 0.25 + 0.5 * side
    x, y = ((1 - side) * (2 * c - 1) * 32 for c in (across, down))
    turned = V.affine(
        picture, -angle * 360.0, [0, 0], 1.0, [0.0, 0.0], V.InterpolationMode.BILINEAR, center=[32 + x, 32 + y]
    )
    half = 32 * side / 2  # the middle, which nothing outside of the picture has reached
    box = [round(32 + y - half), round(32 + x - half), round(2 * half), round(2 * half)]
    expected = V.resized_crop(turned, *box, [32, 32], antialias=False)
    inside = patch[:, :, 16:48, 16:48]
    correlation = torch.corrcoef(torch.stack([inside.flatten(), expected.flatten()]))[0, 1]
    assert correlation > 0.95


def test_batches_paint_placed_source_images_with_their_target_images_and_no_target() -> None:
    images = (pictures_of() * 127.5 + 127.5).to(torch.uint8)
    switches = Augmentation(shift=1, flip=True, offset=0.2, painted=0.7)
    batches = Batches(images, torch.arange(40), images.flip(0), 8, switches, 1, second_view=True)
    batch = batches.at(3)
    batches.reseed(3)
    source, target = batches.indices(3)
    placed = place(images[source], switches, batches.generator)
    painted = paint(placed, to_float(images.flip(0)[target]), 0.7, batches.generator)
    assert batch.source_placed is not None
    assert batch.target_again is not None
    assert torch.equal(batch.source_placed, placed)
    assert torch.equal(batch.source_images, recolour(painted, switches, batches.generator))
    plain = Augmentation(shift=1, flip=True, offset=0.2)
    for view in (batch.target_images, batch.target_again):
        assert torch.equal(view, augment(images.flip(0)[target], plain, batches.generator))


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_what_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(UserError, match="painted is"):
        Augmentation(painted=share)


def test_pictures_of_another_shape_are_refused() -> None:
    images = (pictures_of() * 127.5 + 127.5).to(torch.uint8)
    with pytest.raises(UserError, match="paint where both have the same shape"):
        Batches(images[:, :1], torch.arange(40), images, 8, Augmentation(painted=1.0), 1)

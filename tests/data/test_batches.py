"""Batches: exact where nothing is augmented, and deterministic by seed and step."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torchvision.transforms.v2 import functional as V

from tests.data.drawn import images_of
from uda.data.augmentation import Augmentation, augment
from uda.data.batches import Batch, Batches, Shuffle
from uda.errors import UserError


def batches(augmentation: Augmentation | None = None, seed: int = 1) -> Batches:
    images = images_of()
    return Batches(images, torch.arange(40), images.flip(0), 8, augmentation or Augmentation(), seed)


def same(one: Batch, two: Batch) -> bool:
    return torch.equal(one.source_images, two.source_images) and torch.equal(one.target_images, two.target_images)


def test_without_augmentation_pixels_are_torchvisions() -> None:
    batch = batches().at(2)
    expected = V.normalize(V.to_dtype(images_of(), torch.float32, scale=True), [0.5] * 3, [0.5] * 3)
    torch.testing.assert_close(batch.source_images, expected[batch.source_labels], rtol=0, atol=1e-6)
    torch.testing.assert_close(batch.target_images, expected.flip(0)[batch.target_index], rtol=0, atol=1e-6)


def test_a_step_gives_the_same_batch_in_any_order_and_another_seed_another() -> None:
    augmentation = Augmentation(shift=2, affine=0.1, flip=True, noise=0.1)
    forward = [batches(augmentation).at(step) for step in range(12)]
    again = batches(augmentation)
    assert all(same(again.at(step), forward[step]) for step in (11, 0, 5))
    assert not same(batches(augmentation, seed=2).at(0), forward[0])


def test_a_second_view_is_augmented_on_its_own_and_changes_nothing_else() -> None:
    images, augmentation = images_of(), Augmentation(shift=2, noise=0.1)
    both = Batches(images, torch.arange(40), images.flip(0), 8, augmentation, 1, second_view=True).at(3)
    one = batches(augmentation).at(3)
    assert one.target_again is None
    assert both.target_again is not None
    assert same(one, both)
    assert not torch.equal(both.target_again, both.target_images)
    plain = Batches(images, torch.arange(40), images.flip(0), 8, Augmentation(), 1, second_view=True).at(3)
    assert plain.target_again is not None
    assert torch.equal(plain.target_again, plain.target_images)


def test_placed_images_are_what_intensities_are_changed_of() -> None:
    recoloured = batches(Augmentation(flip=True, offset=0.3)).at(2)
    as_they_are = batches().at(2)
    assert recoloured.source_placed is not None
    assert recoloured.target_placed is not None
    assert torch.equal(recoloured.source_placed, as_they_are.source_images)
    assert torch.equal(recoloured.target_placed, as_they_are.target_images)
    assert not torch.equal(recoloured.source_placed, recoloured.source_images)
    moved = batches(Augmentation(shift=2, affine=0.1, flip=True)).at(2)
    assert moved.source_placed is not None
    assert torch.equal(moved.source_placed, batches(Augmentation(shift=2, affine=0.1)).at(2).source_images)
    assert torch.equal(moved.source_placed.abs(), moved.source_images.abs())


def test_an_epoch_shows_each_image_once_and_the_next_in_another_order() -> None:
    shuffle = Shuffle("source", 40, 8, 1, torch.device("cpu"))
    first = torch.cat([shuffle.indices(step) for step in range(5)])
    second = torch.cat([shuffle.indices(step) for step in range(5, 10)])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(40))
    assert not torch.equal(first, second)


def test_source_and_target_are_drawn_independently() -> None:
    batch = batches().at(0)
    assert not torch.equal(batch.source_labels, batch.target_index)


def test_each_seed_has_its_own_order() -> None:
    orders = {tuple(batches(seed=seed).at(0).source_labels.tolist()) for seed in range(5)}
    assert len(orders) == 5


def test_switches_of_the_source_leave_target_images_alone() -> None:
    switches: dict[str, Any] = {"shift": 2, "noise": 0.1}
    images = images_of()
    plain = Augmentation(**switches, scale_low=0.5, tone=5.0, of_source=("scale_low", "tone"))
    assert plain.of_target == Augmentation(**switches)
    batch = Batches(images, torch.arange(40), images.flip(0), 8, plain, 1, second_view=True)
    made = batch.at(3)
    batch.reseed(3)
    source, target = batch.indices(3)
    expected = augment(images[source], plain, batch.generator)
    assert torch.equal(made.source_images, expected)
    for view in (made.target_images, made.target_again):
        assert view is not None
        assert torch.equal(view, augment(images.flip(0)[target], plain.of_target, batch.generator))


def test_too_few_images_for_a_batch_are_refused() -> None:
    images = images_of(5)
    with pytest.raises(UserError, match="target domain has 3"):
        Batches(images, torch.arange(5), images[:3], 4, Augmentation(), 1)

"""Tone curves: straight where not steep, rising between ends that stay, and strokes as wide as the threshold says."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from uda.data.tone import bend


def curve(values: Tensor, steepness: float, threshold: float) -> Tensor:
    return bend(
        values.view(1, 1, 1, -1), torch.full((1, 1, 1, 1), steepness), torch.full((1, 1, 1, 1), threshold)
    ).flatten()


def test_a_curve_that_is_not_steep_changes_nothing() -> None:
    values = torch.linspace(-1, 1, 101)
    torch.testing.assert_close(curve(values, 0.0, 0.7), values, rtol=0, atol=1e-4)


@pytest.mark.parametrize("steepness", [0.5, 5.0])
@pytest.mark.parametrize("threshold", [-1.0, -0.4, 1.0])
def test_a_curve_rises_between_ends_that_stay(steepness: float, threshold: float) -> None:
    bent = curve(torch.linspace(-1, 1, 101, dtype=torch.double), steepness, threshold)
    torch.testing.assert_close(bent[[0, -1]], torch.tensor([-1.0, 1.0], dtype=torch.double))
    assert (bent.diff() > 0).all()


def test_a_curve_is_the_hyperbolic_tangent_scaled_to_the_range() -> None:
    def by_hand(x: float) -> float:
        low, high = math.tanh(3.0 * -1.2), math.tanh(3.0 * 0.8)
        return 2.0 * (math.tanh(3.0 * (x - 0.2)) - low) / (high - low) - 1.0

    values = [-0.8, -0.1, 0.2, 0.6]
    torch.testing.assert_close(curve(torch.tensor(values), 3.0, 0.2), torch.tensor([by_hand(x) for x in values]))


def test_a_low_threshold_widens_a_light_stroke_and_a_high_one_thins_it() -> None:
    stroke = torch.exp(-(torch.arange(-10.0, 11.0) / 3.0).square()) * 2.0 - 1.0
    wide, plain, thin = ((curve(stroke, s, t) > 0).sum().item() for s, t in ((5.0, -0.8), (0.0, 0.0), (5.0, 0.8)))
    assert wide > plain > thin > 0


def test_each_image_has_its_own_curve() -> None:
    images = torch.linspace(-1, 1, 9).expand(2, 3, 2, 9)
    bent = bend(images, torch.tensor([0.0, 5.0]).view(2, 1, 1, 1), torch.tensor([0.0, 0.5]).view(2, 1, 1, 1))
    torch.testing.assert_close(bent[0], images[0], rtol=0, atol=1e-4)
    assert (bent[1] - images[1]).abs().max() > 0.5

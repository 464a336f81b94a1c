"""Textures: zero mean, unit variance, half of it common to the channels, and the spectrum that is claimed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.data.drawn import generator
from uda.data.texture import draw_textures


def test_values_have_zero_mean_and_unit_variance_everywhere() -> None:
    fields = draw_textures((4000, 2, 12, 16), generator())
    assert fields.shape == (4000, 2, 12, 16)
    assert fields.mean((2, 3)).abs().max() < 1e-5
    np.testing.assert_allclose(fields.var(0), 1.0, atol=0.15)
    assert fields.var().item() == pytest.approx(1.0, rel=0.01)


def test_half_of_the_variance_is_common_to_the_channels() -> None:
    correlations = np.corrcoef(draw_textures((500, 3, 16, 16), generator()).movedim(1, 0).flatten(1))
    np.testing.assert_allclose(correlations, 0.5 + 0.5 * np.eye(3), atol=0.03)


def test_amplitude_falls_as_frequency_rises() -> None:
    size = 32
    power = torch.fft.fft2(draw_textures((2000, 1, size, size), generator())).abs().square().mean((0, 1))
    frequency = torch.hypot(*(torch.fft.fftfreq(size)[axis] for axis in ((slice(None), None), (None, slice(None)))))
    flat = power.sqrt() * frequency
    assert power[0, 0] < 1e-3 * power[0, 1]
    inner = flat.flatten()[1:]
    np.testing.assert_allclose(inner / inner.mean(), 1.0, atol=0.1)


def test_the_generator_alone_decides() -> None:
    assert torch.equal(draw_textures((2, 3, 8, 8), generator()), draw_textures((2, 3, 8, 8), generator()))

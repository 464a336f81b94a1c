"""Convolutions as linear layers: the values and the gradients of torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.unit.outcomes import FORMATS, layer_outcome
from uda.unit.whole_map import FromPoint, WholeMap


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("channels", "side"), [(6, 7), (6, 1), (1, 4)])
def test_a_map_is_read_as_a_whole(channels, side, bias, memory_format):
    theirs = nn.Conv2d(channels, 5, side, bias=bias).double()
    ours = WholeMap(channels, 5, side, bias=bias).double()
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(3, channels, side, side, dtype=torch.float64)
    given = [layer_outcome(layer, images, memory_format) for layer in (ours, theirs)]
    torch.testing.assert_close(*given)


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize(("features", "side"), [(6, 4), (6, 7), (1, 4), (6, 1)])
def test_a_map_is_drawn_from_a_point(features, side, memory_format):
    theirs = nn.ConvTranspose2d(5, features, side, bias=False).double()
    ours = FromPoint(5, features, side, bias=False).double()
    ours.load_state_dict(theirs.state_dict())
    codes = torch.randn(3, 5, 1, 1, dtype=torch.float64)
    given = [layer_outcome(layer, codes, memory_format) for layer in (ours, theirs)]
    torch.testing.assert_close(*given)


def test_a_larger_map_is_convolved():
    reads, draws = WholeMap(2, 3, 4), FromPoint(2, 3, 4, bias=False)
    images = torch.randn(2, 2, 6, 6)
    torch.testing.assert_close(reads(images), nn.functional.conv2d(images, reads.weight, reads.bias))
    torch.testing.assert_close(draws(images), nn.functional.conv_transpose2d(images, draws.weight))

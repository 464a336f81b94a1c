"""Convolutions of small maps by an unrolled kernel: the values and the gradients of torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.unit.outcomes import FORMATS, layer_outcome
from uda.unit.small_map import IMAGES_A_PLACE, SmallMap, Unrolled


def unrolled_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sides: list[int] = []
    apply = Unrolled.apply

    def counted(kernel: Tensor, side: int) -> Tensor:
        sides.append(side)
        unrolled: Tensor = apply(kernel, side)
        return unrolled

    monkeypatch.setattr(Unrolled, "apply", counted)
    return sides


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize(("kernel", "side"), [(5, 4), (5, 5), (5, 2), (3, 3), (3, 2), (7, 4), (3, 1)])
def test_an_unrolled_kernel_convolves(kernel, side, memory_format, monkeypatch):
    sides = unrolled_calls(monkeypatch)
    theirs = nn.Conv2d(3, 4, kernel, padding=kernel // 2).double()
    ours = SmallMap(3, 4, kernel, padding=kernel // 2).double()
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(IMAGES_A_PLACE * side**2, 3, side, side, dtype=torch.float64)
    given = [layer_outcome(layer, images, memory_format) for layer in (ours, theirs)]
    torch.testing.assert_close(*given)
    assert sides == [side]


def test_few_images_and_large_maps_are_convolved(monkeypatch):
    sides = unrolled_calls(monkeypatch)
    layer = SmallMap(3, 4, 5, padding=2)
    for n, side in ((IMAGES_A_PLACE * 16 - 1, 4), (400, 6)):
        images = torch.randn(n, 3, side, side)
        torch.testing.assert_close(layer(images), nn.functional.conv2d(images, layer.weight, layer.bias, padding=2))
    assert not sides


def test_it_is_as_exact_in_bf16_as_a_convolution_is():
    torch.manual_seed(0)
    layer, images = SmallMap(16, 8, 5, padding=2), torch.randn(IMAGES_A_PLACE * 16, 16, 4, 4)
    theirs = nn.Conv2d(16, 8, 5, padding=2)
    theirs.load_state_dict(layer.state_dict())
    exact = layer_outcome(theirs, images, torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        ours, plain = (
            layer_outcome(layer, images, torch.channels_last),
            layer_outcome(theirs, images, torch.channels_last),
        )
    for a, b, e in zip(ours, plain, exact, strict=True):
        assert (a.float() - e).norm() < 1.5 * (b.float() - e).norm() + 1e-6 * e.norm()

"""Gradients of weights by one product: the values and the gradients of torch's own convolutions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.unit.outcomes import FORMATS, outcome
from uda.unit import small_gradient
from uda.unit.small_gradient import Convolution, FromSmallMap, ToSmallMap


def drawn_inputs(memory_format: torch.memory_format, *shapes: tuple[int, ...]) -> list[Tensor]:
    return [
        torch.randn(shape, dtype=torch.float64).to(memory_format=memory_format).requires_grad_() for shape in shapes
    ]


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "side"), [(5, 2, 2, 8), (5, 2, 2, 7), (3, 1, 1, 4), (4, 2, 1, 8), (4, 4, 0, 9)]
)
def test_a_convolution_has_torchs_gradients(kernel, stride, padding, side, memory_format):
    images, weight = drawn_inputs(memory_format, (3, 2, side, side), (4, 2, kernel, kernel))
    ours = outcome(Convolution.apply(images, weight, stride, padding, False), images, weight)
    theirs = outcome(F.conv2d(images, weight, stride=stride, padding=padding), images, weight)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "side"), [(4, 2, 1, 4), (4, 2, 1, 3), (3, 1, 1, 4), (2, 2, 0, 2)]
)
def test_a_transposed_convolution_has_torchs_gradients(kernel, stride, padding, side, memory_format):
    images, weight = drawn_inputs(memory_format, (3, 2, side, side), (2, 4, kernel, kernel))
    ours = outcome(Convolution.apply(images, weight, stride, padding, True), images, weight)
    theirs = outcome(F.conv_transpose2d(images, weight, stride=stride, padding=padding), images, weight)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs", "side"),
    [
        (ToSmallMap(8, 6, 5, 2, 2, bias=False), nn.Conv2d(8, 6, 5, 2, 2, bias=False), 8),
        (FromSmallMap(8, 6, 4, 2, 1, bias=False), nn.ConvTranspose2d(8, 6, 4, 2, 1, bias=False), 4),
    ],
)
def test_a_layer_in_bf16_is_as_exact_as_torchs(ours, theirs, side, monkeypatch):
    asked: list[int] = []

    def amx() -> bool:
        asked.append(1)
        return True

    monkeypatch.setattr(small_gradient, "has_amx", amx)
    torch.manual_seed(0)
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(32, 8, side, side, requires_grad=True)
    exact = outcome(theirs(images), images, theirs.weight)
    with torch.autocast("cpu", torch.bfloat16):
        given, plain = (outcome(layer(images), images, layer.weight) for layer in (ours, theirs))
    assert asked
    for a, b, e in zip(given, plain, exact, strict=True):
        assert a.dtype == b.dtype
        assert (a.float() - e).norm() < 1.5 * (b.float() - e).norm() + 1e-6 * e.norm()


@pytest.mark.parametrize("amx", [True, False])
def test_elsewhere_a_layer_is_torchs(amx, monkeypatch):
    monkeypatch.setattr(small_gradient, "has_amx", lambda: amx)
    monkeypatch.setattr(Convolution, "apply", None)
    layer, small, large = ToSmallMap(3, 4, 5, 2, 2, bias=False), torch.randn(2, 3, 8, 8), torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(layer(small), F.conv2d(small, layer.weight, stride=2, padding=2))
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(layer(large), F.conv2d(large, layer.weight, stride=2, padding=2))
        if not amx:
            torch.testing.assert_close(layer(small), F.conv2d(small, layer.weight, stride=2, padding=2))

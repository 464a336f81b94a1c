"""Dropout: its rate, its scale, its gradient, and nothing outside of training."""

import pytest
import torch

from uda.unit.dropout import LEVELS, dropout


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_a_share_is_dropped_and_the_rest_is_scaled(rate: float, memory_format: torch.memory_format) -> None:
    torch.manual_seed(0)
    h = torch.rand(50, 8, 15, 15).add(1).to(memory_format=memory_format).requires_grad_()
    out = dropout(h, rate, training=True)
    kept, rate = out != 0, round(rate * LEVELS) / LEVELS
    assert kept.float().mean().item() == pytest.approx(1 - rate, abs=0.005)
    torch.testing.assert_close(out[kept], h[kept] / (1 - rate))
    # neighbours, which share a drawn number, are dropped independently of each other
    flat = (out == 0).permute(0, 2, 3, 1).flatten() if memory_format == torch.channels_last else (out == 0).flatten()
    assert (flat[:-1] & flat[1:]).float().mean().item() == pytest.approx(rate**2, abs=0.01)
    out.sum().backward()
    torch.testing.assert_close(h.grad, kept / (1 - rate))


def test_other_values_are_dropped_each_time_and_the_same_from_one_seed() -> None:
    h = torch.ones(3, 5, 7)
    torch.manual_seed(1)
    first, second = dropout(h, 0.5, training=True), dropout(h, 0.5, training=True)
    torch.manual_seed(1)
    assert torch.equal(dropout(h, 0.5, training=True), first)
    assert not torch.equal(first, second)


def test_nothing_is_dropped_outside_of_training() -> None:
    h = torch.rand(4, 4)
    assert torch.equal(dropout(h, 0.5, training=False), h)
    assert torch.equal(dropout(h, 0.0, training=True), h)

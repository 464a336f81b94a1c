"""How deep an encoder is: what it has by its depth, and what that computes, derived by hand."""

import pytest
import torch
from torch.nn import functional as F

from tests.unit.test_core import make
from uda.errors import UserError

HALVING, KEEPING = (5, 5), (3, 3)


def kernels(core):
    return [tuple(p.shape) for name, p in core.encoder.named_parameters() if name.endswith("weight")]


def test_without_depth_it_is_the_authors_encoder():
    """Shapes written out: checkpoints of runs from before there was a depth have these."""
    assert kernels(make(size=32)) == [
        *[(4, 1, 5, 5)] * 2,  # each domain's own
        (8, 4, 5, 5),
        (16, 8, 8, 8),
        (32, 16, 1, 1),
        (32, 32, 1, 1),
    ]


@pytest.mark.parametrize(("size", "maps"), [(16, 1), (28, 2), (32, 2), (64, 3)])
@pytest.mark.parametrize("depth", [1, 3])
def test_each_halving_is_followed_by_as_many_convolutions_as_asked(size, maps, depth):
    core = make(size=size, own_first=False, depth=depth)
    found = [shape[2:] for shape in kernels(core)]
    assert found[: maps * (1 + depth)] == [HALVING, *[KEEPING] * depth] * maps
    assert [wide for wide, *_ in kernels(core)[: maps * (1 + depth)]] == [
        4 * 2**i for i in range(maps) for _ in range(1 + depth)
    ]
    without = kernels(make(size=size, own_first=False))
    assert found[maps * (1 + depth) :] == [shape[2:] for shape in without[maps:]]


def test_codes_are_those_of_the_layers_one_by_one():
    core = make(size=16, own_first=False, depth=2).train()
    images = 2 * torch.rand(6, 1, 16, 16) - 1
    named = dict(core.encoder.named_parameters())
    h = images
    for block, (stride, padding) in {"private.0": (2, 2), "shared.0": (1, 1), "shared.1": (1, 1)}.items():
        h = by_hand(named, block, h, stride, padding)
        assert h.shape[1:] == (4, 8, 8)
    for block in ("shared.2", "shared.3"):
        h = by_hand(named, block, h, 1, 0)
    codes = F.conv2d(h, named["mean.weight"], named["mean.bias"]).flatten(1)
    torch.testing.assert_close(core.codes((images, 1))[0].mean, codes)


def by_hand(named, block, h, stride, padding):
    h = F.conv2d(h, named[f"{block}.convolution.weight"], stride=stride, padding=padding)
    centred = h - h.mean((0, 2, 3), keepdim=True)
    h = centred / (centred.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
    h = h + named[f"{block}.norm.bias"][None, :, None, None]
    return torch.where(h > 0, h, 0.01 * h)


def test_a_negative_depth_is_refused():
    with pytest.raises(UserError, match=r"depth is -1: it must be 0"):
        make(depth=-1)


def test_what_keeps_the_map_counts_among_the_layers_that_can_be_own():
    with pytest.raises(UserError, match=r"own_encoder is 9.*share 8 layers"):
        make(own_encoder=9, depth=2)
    assert len(make(own_encoder=8, depth=2).encoder.shared) == 7

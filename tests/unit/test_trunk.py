"""What discriminators are made of: shapes written out, and what they compute, derived by hand."""

import pytest
import torch
from torch.nn import functional as F

from tests.unit.test_core import make, tensors
from uda.errors import UserError
from uda.methods import TaskShape
from uda.methods.unit import UnitConfig, UnitMethod
from uda.unit.core import UNIT
from uda.unit.networks import Discriminator


def shapes(discriminator):
    return [tuple(p.shape) for name, p in discriminator.named_parameters() if name.endswith("weight")]


def test_blocks_are_the_authors():
    """Shapes written out: checkpoints of runs from before there was a choice have these."""
    assert shapes(make(size=32).discriminator) == [
        *[(4, 1, 5, 5)] * 2,  # each domain's own
        (8, 4, 5, 5),
        (16, 8, 5, 5),
        (32, 16, 5, 5),
        (2, 32, 2, 2),
    ]


def test_lenet_is_the_papers():
    """20, 50 and 500 channels for 28 x 28 images."""
    assert shapes(Discriminator([1, 1], 28, 20, trunk="lenet")) == [
        *[(20, 1, 5, 5)] * 2,
        (50, 20, 5, 5),
        (500, 50, 4, 4),
        (2, 500, 1, 1),
    ]


@pytest.mark.parametrize(("channels", "size"), [((1, 1), 16), ((1, 1), 28), ((3, 1), 32)])
def test_lenet_by_hand(channels, size):
    pair = UNIT(channels, size, width=4, discriminator_width=2, trunk="lenet").discriminator.eval()
    parts = [(2 * torch.rand(3, c, size, size) - 1, domain) for domain, c in enumerate(channels)]
    named = dict(pair.named_parameters())

    def convolve(name, h):
        return F.conv2d(h, named[f"{name}.weight"], named[f"{name}.bias"])

    for (images, domain), verdict in zip(parts, pair(parts), strict=True):
        h = F.max_pool2d(F.relu(convolve(f"private.{domain}", images)), 2)
        h = F.max_pool2d(F.relu(convolve("shared.0", h)), 2)
        h = F.relu(convolve("shared.1", h))
        torch.testing.assert_close(pair.features([(images, domain)])[0], h)
        torch.testing.assert_close(verdict, convolve("verdict", h)[:, :, 0, 0])


def test_lenet_drops_half_of_its_features_and_nothing_before():
    pair = make(trunk="lenet").discriminator.train()
    images = torch.rand(64, 1, 28, 28)
    dropped, plain = pair.features([(images, 1)], pairs=1)
    assert torch.equal(plain, pair.eval().features([(images, 1)])[0])
    zeroed = (dropped == 0)[plain > 0].float().mean()
    assert zeroed == pytest.approx(0.5, abs=0.05)
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], 2 * plain[kept])


@pytest.mark.parametrize("trunk", ["blocks", "lenet"])
def test_features_that_are_matched_have_no_dropout(trunk):
    pair = make(trunk=trunk).discriminator.train()
    parts = [(torch.rand(n, 1, 28, 28), domain) for n, domain in ((5, 0), (4, 1), (3, 1), (3, 0))]
    dropped, matched = pair.features(parts, pairs=2)
    assert pair.features(parts)[1].shape[0] == 0
    plain, _ = pair.eval().features(parts)
    torch.testing.assert_close(matched, plain[9:])
    assert not torch.equal(dropped, plain)


def test_each_domain_can_have_a_lenet_of_its_own():
    core = make(trunk="lenet", own_discriminator=-1)
    one, two = (core.role("gan", domain)[f"D{domain + 1}"] for domain in (0, 1))
    assert not tensors(one) & tensors(two)


def test_what_no_lenet_can_be_made_for_is_refused():
    with pytest.raises(UserError, match=r"discriminator_width is 5: .*make it even"):
        Discriminator([1, 1], 28, 5, trunk="lenet")
    with pytest.raises(UserError, match=r"12 x 12 are too small .* 16 x 16"):
        Discriminator([1, 1], 12, 4, trunk="lenet")


def test_an_unknown_trunk_is_refused_before_anything_is_built():
    with pytest.raises(UserError, match=r"discriminator_trunk.*'lenet'"):
        UnitConfig(discriminator_trunk="lenett")
    with pytest.raises(UserError, match=r"trunk.*'lenet'"):
        Discriminator([1, 1], 28, 4, trunk="lenett")


@pytest.mark.parametrize("head", ["encoder", "discriminator"])
def test_unit_classifies_with_it(head):
    torch.manual_seed(0)
    shape = (1, 28, 28)
    config = UnitConfig(head=head, width=4, discriminator_width=2, discriminator_trunk="lenet")
    method = UnitMethod(config, TaskShape(shape, shape, 10, 100)).eval()
    outputs = method.outputs(torch.rand(3, *shape))
    assert outputs.logits.shape == (3, 10)
    assert outputs.features.shape == (3, 32 if head == "encoder" else 50)

"""Backbones: as many features as they announce, at every image size of the protocols, and names that are known."""

import pytest
import torch
from torch import nn

from uda.errors import UserError
from uda.methods.backbones import BACKBONES, NormalisedBackbone, build_backbone, match_channels
from uda.unit.core import UNIT


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [16, 28, 32])
@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_images_of_any_size_become_features(name: str, side: int, channels: int) -> None:
    backbone = build_backbone(name, (channels, side, side), width=4)
    assert backbone.channels == channels
    assert backbone(torch.rand(3, channels, side, side)).shape == (3, backbone.width_out)


def linear_of(name: str, shape: tuple[int, int, int]) -> tuple[int, int]:
    (linear,) = (m for m in build_backbone(name, shape, 4).modules() if isinstance(m, nn.Linear))
    return linear.in_features, linear.out_features


def test_the_published_sizes() -> None:
    assert linear_of("dtn", (3, 32, 32)) == (4096, 512)
    assert linear_of("lenet", (1, 28, 28)) == (800, 500)
    assert build_backbone("unit", (1, 28, 28), 4).width_out == 32


def test_an_unknown_backbone_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown backbone 'lennet': did you mean 'lenet'\? known are dtn"):
        build_backbone("lennet", (1, 28, 28), 4)


def test_images_too_small_for_lenet_are_refused() -> None:
    with pytest.raises(UserError, match=r"at least 16 x 16 pixels, not 8 x 8: choose backbone 'dtn'"):
        build_backbone("lenet", (1, 8, 8), 4)


def test_grey_is_repeated_and_colour_averaged() -> None:
    grey, colour = torch.rand(2, 1, 4, 4), torch.rand(2, 3, 4, 4)
    assert torch.equal(match_channels(grey, 3), grey.repeat(1, 3, 1, 1))
    assert torch.equal(match_channels(colour, 1), colour.mean(1, keepdim=True))
    assert match_channels(colour, 3) is colour


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_dropout_stands_behind_batch_normalisation_and_keeps_the_names_of_all_weights(name: str) -> None:
    names = [f"layers.0.{key}" for key in build_backbone(name, (1, 28, 28), 4).state_dict()]
    normalised = NormalisedBackbone(build_backbone(name, (1, 28, 28), 4), nn.ReLU())
    behind = [type(layer) for layer in list(normalised.layers)[1:]]
    assert behind == [nn.BatchNorm1d, nn.ReLU] + [nn.Dropout] * (name != "unit")
    assert not any(isinstance(layer, nn.Dropout) for layer in normalised.layers[0].modules())
    own = [f"layers.1.{key}" for key in nn.BatchNorm1d(1).state_dict()]
    assert list(normalised.state_dict()) == names + own


def test_running_variances_are_of_features_that_are_not_dropped_out() -> None:
    torch.manual_seed(1)
    normalised = NormalisedBackbone(build_backbone("lenet", (1, 28, 28), 4))
    backbone, norm = normalised.layers[0], normalised.layers[1]
    assert isinstance(norm, nn.BatchNorm1d)
    norm.momentum = 1.0
    for module in backbone.modules():
        if isinstance(module, nn.Dropout2d):
            module.p = 0.0
    images = torch.rand(64, 1, 28, 28)
    normalised(images)
    torch.testing.assert_close(norm.running_var, backbone.eval()(images).var(0))


def test_a_deeper_unit_is_the_encoder_of_a_deeper_unit() -> None:
    backbone = build_backbone("unit", (1, 28, 28), 4, depth=2)
    core = UNIT((1, 1), 28, width=4, own_first=False, depth=2)
    names = {name: p.shape for name, p in core.encoder.named_parameters()}
    assert {name.removeprefix("encoder."): p.shape for name, p in backbone.named_parameters()} == names
    assert len(names) > len(dict(build_backbone("unit", (1, 28, 28), 4).named_parameters()))

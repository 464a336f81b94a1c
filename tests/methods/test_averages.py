"""Averages of weights, by hand, and running statistics that images leave alone."""

import copy

import pytest
import torch
from torch import nn

from tests.methods.test_update import TASK, same_parameters
from uda.methods.averages import Averages
from uda.methods.backbones import BACKBONES
from uda.methods.tracking import untracked


def test_parameters_and_statistics_are_averages_that_forget_faster_at_first() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    averages = Averages([network], decay=0.3)
    by_hand = copy.deepcopy(network.state_dict())
    for step, decay in enumerate((1 / 10, 2 / 11, 3 / 12, 0.3, 0.3)):
        for p in network.parameters():
            p.data += torch.randn_like(p)
        network(torch.randn(8, 3))
        averages.follow([network], torch.tensor(step))
        for name, now in network.state_dict().items():
            by_hand[name] = decay * by_hand[name] + (1 - decay) * now if now.is_floating_point() else now.clone()
        assert by_hand["1.num_batches_tracked"] == step + 1
        for name, average in averages.networks[0].state_dict().items():
            torch.testing.assert_close(average, by_hand[name])
        assert not any(p.requires_grad for p in averages.parameters())


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_untracked_images_are_read_as_others_and_leave_the_statistics_alone(name: str) -> None:
    torch.manual_seed(0)
    network = BACKBONES[name](TASK.source_shape, 2, 0, 0)
    tracked, before = copy.deepcopy(network), copy.deepcopy(network)
    images = torch.randn(6, *TASK.source_shape)
    torch.manual_seed(1)
    with untracked(network):
        features = network(images)
    torch.manual_seed(1)
    torch.testing.assert_close(features, tracked(images), rtol=0, atol=0)
    same_parameters(network, before)
    assert all(buffer is not None for buffer in network.state_dict().values())
    torch.manual_seed(1)
    network(images)
    same_parameters(network, tracked)

"""DRCN: an update made again by hand, and what is hidden of target images."""

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.methods.by_hand import same_move
from tests.methods.test_update import TASK, adam, batch_of, with_placed
from uda.data.batches import Batch
from uda.errors import UserError
from uda.methods import TaskShape
from uda.methods.drcn import Drcn, DrcnConfig, hide_pixels


def build(task: TaskShape = TASK, **settings: Any) -> Drcn:
    torch.manual_seed(1)
    return Drcn(DrcnConfig(**{"width": 2, "learning_rate": 0.01, **settings}), task)


@pytest.mark.parametrize("plain", [False, True])
def test_an_update_made_by_hand(plain: bool) -> None:
    method = build(class_share=0.6, corruption=0.3, plain_game=plain)
    networks = copy.deepcopy(nn.ModuleList([method.backbone, method.head, method.decoder]))
    backbone, head, decoder = networks
    optimiser = adam(networks.parameters(), method.config)
    for step in (0, 1):
        batch = with_placed(batch_of(step))
        torch.manual_seed(step)
        corrupted = batch.target_images.clone()
        corrupted[torch.rand(5, 1, 16, 16) < 0.3] = -1.0
        features = backbone(torch.cat([batch.source_images, corrupted]))
        classification = F.cross_entropy(head(features[:6]), batch.source_labels)
        drawn = decoder(features[6:], 0)
        wanted = batch.target_images.flip(2) if plain else batch.target_images
        reconstruction = ((drawn - wanted) ** 2).mean()
        optimiser.zero_grad()
        (0.6 * classification + 0.4 * reconstruction).backward()

        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        assert terms.keys() == {"classification", "reconstruction"}
        torch.testing.assert_close(terms["classification"], classification.detach())
        torch.testing.assert_close(terms["reconstruction"], reconstruction.detach())
        same_move([method.backbone, method.head, method.decoder], networks, optimiser)


def test_hidden_pixels_are_black_in_all_channels_and_the_others_as_they_were() -> None:
    torch.manual_seed(0)
    images = torch.rand(20, 3, 16, 16) - 0.5
    hidden = hide_pixels(images, 0.3)
    black = hidden == -1.0
    assert torch.equal(black, black[:, :1].expand(-1, 3, -1, -1))
    torch.testing.assert_close(hidden[~black], images[~black])
    assert float(black.float().mean()) == pytest.approx(0.3, abs=0.03)
    torch.testing.assert_close(hide_pixels(images, 0.0), images)


def test_a_grey_source_and_a_target_in_colour() -> None:
    method = build(TaskShape((1, 16, 16), (3, 16, 16), 3, 10))
    batch = Batch(torch.rand(3, 1, 16, 16), torch.arange(3), torch.rand(5, 3, 16, 16), torch.arange(5))
    method.update(batch, torch.tensor(0))
    assert method.decoder(method.features(batch.target_images), 0).shape == (5, 3, 16, 16)


@pytest.mark.parametrize(("name", "value"), [("class_share", 1.5), ("corruption", -0.1)])
def test_shares_lie_between_0_and_1(name: str, value: float) -> None:
    with pytest.raises(UserError, match=name):
        DrcnConfig(**{name: value})  # type: ignore[arg-type]

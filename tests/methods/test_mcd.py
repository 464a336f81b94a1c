"""MCD: an update made again by hand, its discrepancy, and whose prediction counts."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.methods.test_update import TASK, adam, batch_of, same_parameters
from tests.peers import pytorch_adapt_layers
from uda.errors import UserError
from uda.methods.mcd import Mcd, McdConfig, discrepancy


def build(**settings: Any) -> Mcd:
    torch.manual_seed(1)
    return Mcd(McdConfig(**{"backbone": "lenet", "hidden": 7, **settings}), TASK)


@pytest.mark.parametrize(("backbone", "num_k"), [("lenet", 4), ("dtn", 1), ("unit", 2)])
def test_updates_made_by_hand(backbone: str, num_k: int) -> None:
    compare_rounds(build(backbone=backbone, num_k=num_k, width=2, learning_rate=1e-3), F.l1_loss)


def compare_rounds(method: Mcd, distance: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
    """Three moves of three optimisers, as the paper has them; what does not move in a step is frozen in it.

    The distance is between the probabilities that the classifiers give.
    """
    trunk, one, two = copy.deepcopy([method.backbone, method.head, method.second_head])
    of_trunk, of_one, of_two = (adam(network.parameters(), method.config) for network in (trunk, one, two))

    def move(loss: torch.Tensor, *optimisers: torch.optim.Optimizer) -> None:
        for network in (trunk, one, two):
            network.zero_grad()
        loss.backward()
        for optimiser in optimisers:
            optimiser.step()

    def classified(features: torch.Tensor) -> torch.Tensor:
        losses = [-F.log_softmax(head(features), 1)[range(6), labels].mean() for head in (one, two)]
        return torch.stack(losses).sum()

    def disagreement(features: torch.Tensor) -> torch.Tensor:
        return distance(F.softmax(one(features), 1), F.softmax(two(features), 1))

    for step in (0, 1):
        batch = batch_of(step)
        source, target, labels = batch.source_images, batch.target_images, batch.source_labels
        torch.manual_seed(step)
        classification = classified(trunk(source))
        move(classification, of_trunk, of_one, of_two)
        features, fixed = trunk(source), trunk(target)
        raised = disagreement(fixed)
        move(classified(features) - raised, of_one, of_two)
        for _ in range(method.config.num_k):
            lowered = disagreement(trunk(target))
            move(lowered, of_trunk)

        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        assert terms.keys() == {"classification", "discrepancy_raised", "discrepancy_lowered"}
        torch.testing.assert_close(terms["classification"], classification.detach())
        torch.testing.assert_close(terms["discrepancy_raised"], raised.detach())
        torch.testing.assert_close(terms["discrepancy_lowered"], lowered.detach())
        ours = nn.ModuleList([method.backbone, method.head, method.second_head])
        same_parameters(ours, nn.ModuleList([trunk, one, two]))


def test_discrepancy_by_numbers() -> None:
    sure, even = torch.tensor([[60.0, 0.0], [0.0, 0.0]]), torch.zeros(2, 2)
    # the first image: (|1 - 1/2| + |0 - 1/2|) / 2 over two images
    torch.testing.assert_close(discrepancy(sure, even), torch.tensor(0.25))


def test_discrepancy_is_the_peers() -> None:
    layers = pytorch_adapt_layers()
    one, other = torch.randn(2, 8, 10)
    torch.testing.assert_close(discrepancy(one, other), layers.MCDLoss()(one, other))


def test_the_prediction_is_the_mean_of_both() -> None:
    method, images = build().eval(), torch.rand(4, *TASK.target_shape)
    features, logits = method.outputs(images)
    torch.testing.assert_close(logits, torch.stack([method.head(features), method.second_head(features)]).mean(0))
    assert not torch.allclose(method.head(features), method.second_head(features))


def test_the_features_move_at_least_once() -> None:
    with pytest.raises(UserError, match="num_k is 0"):
        McdConfig(num_k=0)

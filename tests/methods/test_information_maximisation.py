"""Information maximisation: two updates made again by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical
from torch.nn import functional as F

from tests.methods.two_updates import RAMPS, build, compare_updates, joint, risen
from uda.data.batches import Batch


@pytest.mark.parametrize("ramp", RAMPS)
def test_updates_made_by_hand(ramp: float) -> None:
    def loss(twin: Any, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        _, z_s, _, z_t = joint(twin, batch)
        classification = F.cross_entropy(z_s, batch.source_labels)
        entropy = Categorical(logits=z_t).entropy().mean()
        diversity = Categorical(probs=F.softmax(z_t, 1).mean(0)).entropy()
        terms = {"classification": classification, "entropy": entropy, "diversity": diversity}
        return classification + risen(0.7, ramp, step) * (entropy - diversity), terms

    compare_updates(build("im", lambda_information=0.7, ramp=ramp), loss)


def test_mutual_information_is_at_most_the_entropy_of_the_classes() -> None:
    """What the two terms of an update come to for one prediction on all images: nothing is told, nothing is gained."""
    method = build("im")
    with torch.no_grad():
        method.head.weight.zero_()
        method.head.bias.copy_(torch.tensor([3.0, 0.0, 0.0]))
    images = torch.rand(6, 1, 16, 16)
    terms = method.update(Batch(images, torch.tensor([0, 1, 2, 0, 1, 2]), images, torch.arange(6)), torch.tensor(0))
    torch.testing.assert_close(terms["entropy"], terms["diversity"])
    torch.testing.assert_close(terms["entropy"], Categorical(logits=torch.tensor([3.0, 0.0, 0.0])).entropy())

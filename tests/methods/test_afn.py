"""AFN: two updates made again by hand in both variants; the stepwise loss against pytorch-adapt's."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.methods.test_update import batch_of
from tests.methods.two_updates import build, compare_updates, joint
from tests.peers import pytorch_adapt_layers
from uda.data.batches import Batch
from uda.errors import UserError
from uda.methods.afn import AfnConfig


def norms_by_hand(features: Tensor) -> Tensor:
    return torch.stack([row.dot(row).sqrt() for row in features])


@pytest.mark.parametrize("variant", ["stepwise", "hard"])
def test_updates_made_by_hand(variant: str) -> None:
    """The gradient of the stepwise distance is that of -2 delta r times the mean norm."""

    def loss(twin: Any, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        f_s, z_s, f_t, _ = joint(twin, batch)
        classification = F.cross_entropy(z_s, batch.source_labels)
        source, target = norms_by_hand(f_s), norms_by_hand(f_t)
        if variant == "stepwise":
            distance = -2 * 1.3 * (source.sum() + target.sum()) / 11
        else:
            distance = (source.mean() - 4) ** 2 + (target.mean() - 4) ** 2
        terms = {"classification": classification, "source_norm": source.mean(), "target_norm": target.mean()}
        return classification + 0.7 * distance, terms

    compare_updates(build("afn", variant=variant, lambda_norm=0.7, increase=1.3, radius=4.0), loss)


def test_the_stepwise_distance_is_pytorch_adapts() -> None:
    layers = pytorch_adapt_layers()
    source, target = torch.randn(2, 6, 9, generator=torch.Generator().manual_seed(0)).requires_grad_()
    ours = build("afn", increase=1.3)._distance(norms_by_hand(source), norms_by_hand(target))
    theirs = layers.AdaptiveFeatureNorm(step_size=1.3)(torch.cat([source, target]))
    torch.testing.assert_close(ours, theirs)
    for a, b in zip(*(torch.autograd.grad(x, (source, target)) for x in (ours, theirs)), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(("variant", "moved"), [("stepwise", True), ("hard", False)])
def test_norms_grow_step_by_step_and_stay_at_the_radius(variant: str, moved: bool) -> None:
    distance = build("afn", variant=variant, radius=5.0)._distance
    norms = torch.full((4,), 5.0, requires_grad=True)
    (gradient,) = torch.autograd.grad(distance(norms, norms), norms)
    assert bool((gradient < 0).all()) == moved
    assert bool((gradient == 0).all()) != moved


def test_norms_are_of_features_behind_batch_normalisation_and_relu() -> None:
    method = build("afn")
    batch = batch_of()
    inner, norm, _ = method.backbone.layers
    features = torch.cat(joint(method, batch)[::2])
    rows = inner(torch.cat([batch.source_images, batch.target_images]))
    expected = (rows - rows.mean(0)) / (rows.var(0, unbiased=False) + norm.eps).sqrt()
    torch.testing.assert_close(features, expected.clamp(min=0), rtol=1e-4, atol=1e-4)


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(UserError, match="did you mean 'stepwise'"):
        AfnConfig(variant="stepwize")

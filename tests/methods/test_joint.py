"""How the features of two domains are read: by joint statistics of batch normalisation, or by each domain's own."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.methods.test_update import batch_of
from tests.methods.two_updates import build, compare_updates
from uda.data.batches import Batch
from uda.errors import UserError
from uda.methods import METHODS
from uda.methods.joint import JointConfig

JOINT = sorted(name for name, method in METHODS.items() if issubclass(method.Config, JointConfig))


def test_updates_with_statistics_of_each_domain_made_by_hand() -> None:
    def loss(twin: Any, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        classification = F.cross_entropy(twin.head(twin.backbone(batch.source_images)), batch.source_labels)
        p = twin.head(twin.target_backbone(batch.target_images)).softmax(1)
        norm = torch.linalg.svdvals(p).sum() / len(p)
        return classification - 0.5 * norm, {"classification": classification, "nuclear_norm": norm}

    compare_updates(build("bnm", lambda_bnm=0.5, statistics="per-domain"), loss)


@pytest.mark.parametrize("name", JOINT)
def test_each_domain_is_normalised_by_its_own_at_test_time(name: str) -> None:
    method = build(name, statistics="per-domain").train()
    batch = batch_of(4)
    first = next(m for m in method.backbone.modules() if isinstance(m, torch.nn.Conv2d))
    seen = {}
    for domain, images in (("source", batch.source_images), ("target", batch.target_images)):
        seen[domain] = first(images).detach().mean((0, 2, 3))
    method.update(batch, torch.tensor(4))
    for domain, backbone in (("source", method.backbone), ("target", method.target_backbone)):
        norm = next(m for m in backbone.modules() if isinstance(m, torch.nn.BatchNorm2d))
        if domain == "source" or name not in ("drcn", "fixmatch"):  # they read other target images than the batch's
            torch.testing.assert_close(norm.running_mean, 0.1 * seen[domain])
    method.eval()
    with torch.no_grad():
        for source, backbone in ((True, method.backbone), (False, method.target_backbone)):
            features = method.outputs(batch.target_images, source=source).features
            assert torch.equal(features, backbone(batch.target_images))
        assert not torch.equal(method.features(batch.target_images), method.backbone(batch.target_images))


@pytest.mark.parametrize("name", JOINT)
def test_the_weights_are_those_of_both_domains(name: str) -> None:
    method = build(name, statistics="per-domain")
    assert all(a is b for a, b in zip(method.backbone.parameters(), method.target_backbone.parameters(), strict=True))
    assert len(list(method.parameters())) == len(list(build(name).parameters()))
    assert not [key for key in build(name).state_dict() if key.startswith("target_backbone")]


def test_unknown_statistics_are_refused() -> None:
    with pytest.raises(UserError, match="unknown statistics 'per-domian': did you mean 'per-domain'"):
        build("dan", statistics="per-domian")

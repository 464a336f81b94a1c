"""Validators against pytorch-adapt's, where it is installed."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from tests.metrics.validators.examples import CLASSES, make_outputs
from tests.peers import NO_PYTORCH_ADAPT
from uda.metrics.validators import VALIDATORS
from uda.metrics.validators.neighbourhoods import class_cluster
from uda.metrics.validators.weighting import deep_embedded

try:
    import pytorch_adapt.validators as peer
    from pytorch_adapt.validators.deep_embedded_validator import get_dev_risk
except ImportError as error:  # its release of 2022 needs "pytorch-metric-learning<2"
    pytest.skip(f"{NO_PYTORCH_ADAPT} ({error})", allow_module_level=True)

OUTPUTS = make_outputs(300)
LOGITS = torch.randn(300, CLASSES, generator=torch.Generator().manual_seed(2)) * 2
SEEN = {"logits": LOGITS, "preds": LOGITS.softmax(1), "features": OUTPUTS["target_train_features"]}


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("entropy", "EntropyValidator"),
        ("diversity", "DiversityValidator"),
        ("information-maximization", "IMValidator"),
        ("bnm", "BNMValidator"),
        ("snd", "SNDValidator"),
    ],
)
def test_predictions_are_scored_as_by_the_peer(name: str, theirs: str) -> None:
    assert VALIDATORS[name](LOGITS) == pytest.approx(getattr(peer, theirs)()(target_train=SEEN), rel=1e-5)


def test_clusters_are_scored_as_by_the_peer() -> None:
    source, labels = OUTPUTS["source_train_features"], OUTPUTS["source_train_labels"]
    predicted = OUTPUTS["target_train_logits"]
    theirs = peer.ClassClusterValidator(centroid_init="label_centers", feat_normalizer=F.normalize)
    score = theirs(target_train={**SEEN, "logits": predicted})
    # the peer begins at the means of the predicted classes, we at those of the source's: both end in one clustering
    assert class_cluster(source, labels, SEEN["features"], predicted) == pytest.approx(score)


def test_control_variates_are_the_peers() -> None:
    labels = OUTPUTS["source_val_labels"]
    weights = torch.rand(300, 1, generator=torch.Generator().manual_seed(3)).double() * 3
    loss = F.cross_entropy(LOGITS.double(), labels, reduction="none")[:, None]
    assert deep_embedded(LOGITS, labels, weights[:, 0]) == pytest.approx(-float(get_dev_risk(weights, loss, None)))

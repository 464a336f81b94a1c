"""SHOT: an update of each stage made again by hand, when pseudo-labels are made, and what the target stage reads."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from torch import nn
from torch.nn import functional as F

from tests.methods.by_hand import resumes_in_the_same_bits, same_move
from tests.methods.test_update import TASK, adam, batch_of, same_parameters
from uda.data.augmentation import Augmentation, to_float
from uda.data.batches import Batches
from uda.errors import UserError
from uda.methods.centroids import centroid_labels
from uda.methods.shot import Shot, ShotConfig
from uda.training.updates import Updates

EPOCH = 3


def build(**settings: Any) -> Shot:
    torch.manual_seed(1)
    return Shot(ShotConfig(**{"backbone": "lenet", "learning_rate": 0.01, "bottleneck": 6, **settings}), TASK)


def batches_of(seed: int = 2) -> Batches:
    generator = torch.Generator().manual_seed(seed)
    source, target = torch.randint(0, 256, (2, 13, 1, 16, 16), dtype=torch.uint8, generator=generator)
    return Batches(source, torch.arange(13) % 3, target, 4, Augmentation(), 1)


def networks_of(method: Shot) -> nn.Sequential:
    return nn.Sequential(method.backbone, method.bottleneck, method.head)


@pytest.mark.parametrize("backbone", ["dtn", "lenet"])
def test_features_are_dropped_out_once_behind_batch_normalisation(backbone: str) -> None:
    layers = [type(layer) for layer in networks_of(build(backbone=backbone)).modules()]
    assert layers.count(nn.Dropout) == 1
    assert layers[layers.index(nn.Dropout) - 1] == nn.BatchNorm1d


def test_updates_of_the_source_stage_made_by_hand() -> None:
    method = build(label_smoothing=0.2)
    networks = copy.deepcopy(networks_of(method))
    optimiser = adam(networks.parameters(), method.config)
    for step in (0, 1):
        batch = batch_of(step)
        torch.manual_seed(step)
        log_p = F.log_softmax(networks(batch.source_images), 1)
        # 0.8 of each label stays where it is, 0.2 goes to all three classes alike
        target = 0.8 * torch.eye(3)[batch.source_labels] + 0.2 / 3
        loss = -(target * log_p).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        same_move(networks_of(method), networks, optimiser)
        torch.testing.assert_close(terms.pop("classification"), loss.detach())
        assert terms == {"entropy": 0, "diversity": 0, "pseudo_classification": 0}


@pytest.mark.parametrize("beta", [0.3, 0.0])
def test_updates_of_the_target_stage_made_by_hand(beta: float) -> None:
    method = build(lambda_pseudo=beta)
    method.stage = 1
    method.pseudo_labels.keep(torch.tensor([2, 0, 1, 1, 0]))
    networks = copy.deepcopy(networks_of(method))
    networks[2].requires_grad_(False)
    optimiser = adam([*networks[0].parameters(), *networks[1].parameters()], method.config)
    for step in (0, 1):
        batch = replace(batch_of(step), target_index=torch.tensor([4, 1, 0, 3, 2]))
        torch.manual_seed(step)
        p = F.softmax(networks(batch.target_images), 1)
        conditional = -(p * p.log()).sum(1).mean()
        marginal = -(p.mean(0) * p.mean(0).log()).sum()
        pseudo = -p[range(5), [0, 0, 2, 1, 1]].log().mean()
        optimiser.zero_grad()
        (conditional - marginal + beta * pseudo).backward()
        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        same_move(networks_of(method), networks, optimiser)
        assert terms["classification"] == 0
        torch.testing.assert_close(terms["entropy"], conditional.detach())
        assert float(terms["diversity"]) == pytest.approx(entropy(p.detach().mean(0).numpy()), rel=1e-5)
        torch.testing.assert_close(terms["pseudo_classification"], pseudo.detach() * (beta > 0))


def test_pseudo_labels_are_made_at_the_beginning_of_each_epoch_of_the_target_stage() -> None:
    method, batches = build(source_share=0.2), batches_of()
    updates = Updates(method, batches, "fp32", 1)
    kept = []
    for step in range(TASK.steps):
        before = copy.deepcopy(method).eval()
        updates.make(step)
        now = method.pseudo_labels.labels.clone()
        kept.append(now)
        if step >= 2 and (step - 2) % EPOCH == 0:
            features, logits = before.outputs(to_float(batches.target_images))
            assert torch.equal(now, centroid_labels(features.detach(), logits.detach()))
        elif step:
            assert torch.equal(now, kept[step - 1])
    assert [len(labels) for labels in kept] == [0, 0] + 8 * [13]
    assert method.training


def test_the_target_stage_reads_no_source_image_and_leaves_the_head() -> None:
    ends = []
    for blank in (False, True):
        method, batches = build(), batches_of()
        updates = Updates(method, batches, "fp32", 1)
        for step in range(3):
            updates.make(step)
        head = copy.deepcopy(method.head)
        if blank:
            batches.source_images.zero_()
            batches.source_labels.zero_()
        for step in range(3, TASK.steps):
            updates.make(step)
        same_parameters(method.head, head)
        ends.append(method.state_dict())
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


@pytest.mark.parametrize("stop", [2, 3, 5, 6])
def test_resumed_anywhere_it_ends_in_the_same_bits(stop: int) -> None:
    resumes_in_the_same_bits(build, batches_of, stop)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_source_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(UserError, match="source_share"):
        ShotConfig(source_share=share)


def test_without_a_source_stage_it_begins_with_pseudo_labels() -> None:
    method = build(source_share=0.0)
    terms_before = Updates(method, batches_of(), "fp32", 1)
    terms_before.make(0)
    assert method.stage == 1
    assert len(method.pseudo_labels.labels) == 13
    assert np.isfinite(list(terms_before.means(1).values())).all()

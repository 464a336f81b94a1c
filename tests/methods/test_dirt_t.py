"""DIRT-T: VADA's updates first, refinements made again by hand then, and when its teacher is made."""

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.methods.by_hand import same_move
from tests.methods.test_adda import batches_of
from tests.methods.test_update import TASK, adam, batch_of, same_parameters
from tests.methods.test_vada import WEIGHTS, average_by_hand, entropy_by_hand, track, vat_by_hand
from uda.errors import UserError
from uda.methods.dirt_t import DirtT, DirtTConfig
from uda.methods.vada import Vada, VadaConfig
from uda.training.updates import Updates


def build(**settings: Any) -> DirtT:
    torch.manual_seed(1)
    return DirtT(DirtTConfig(**{"backbone": "lenet", "hidden": 7, "learning_rate": 0.01, **settings}), TASK)


def test_the_first_stage_is_vada() -> None:
    method = build(**WEIGHTS)
    torch.manual_seed(1)
    vada = Vada(VadaConfig(backbone="lenet", hidden=7, learning_rate=0.01, **WEIGHTS), TASK)
    for step in (0, 1):
        expected = vada.update(batch_of(step), torch.tensor(step))
        assert method.update(batch_of(step), torch.tensor(step)) == {**expected, "teacher": 0}
    ours = {name: value for name, value in method.state_dict().items() if not name.startswith("teacher")}
    assert ours.keys() == vada.state_dict().keys()
    assert all(torch.equal(ours[name], value) for name, value in vada.state_dict().items())


@pytest.mark.parametrize("backbone", ["lenet", "dtn"])
def test_refinements_made_by_hand(backbone: str) -> None:
    method = build(backbone=backbone, lambda_teacher=0.9, **WEIGHTS).train()
    method.update(batch_of(9), torch.tensor(2))
    method.stage = 1
    method.refresh(5, batches_of())
    network = copy.deepcopy(nn.Sequential(method.backbone, method.head))
    average = copy.deepcopy(nn.Sequential(*method.averages.networks))
    teacher = copy.deepcopy(average).eval()
    optimiser = adam(network.parameters(), method.config)
    optimiser.load_state_dict(copy.deepcopy(method.optimiser.state_dict()))
    assert optimiser.state_dict()["state"][0]["step"] == 1
    for step in (6, 7):
        batch = batch_of(step)
        images = batch.target_images
        torch.manual_seed(step)
        track(network, True)
        logits = network(images)
        track(network, False)
        vat, entropy = vat_by_hand(network, images, logits), entropy_by_hand(logits)
        taught = F.kl_div(F.log_softmax(logits, 1), F.softmax(teacher(images), 1).detach(), reduction="batchmean")
        optimiser.zero_grad()
        (0.8 * (vat + entropy) + 0.9 * taught).backward()

        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        same_move([method.backbone, method.head], network, optimiser)
        average_by_hand(average, network, 0.12)
        same_parameters(method.averages.networks, average)
        same_parameters(method.teacher, teacher)
        zeros = dict.fromkeys(("domain", "classification", "confusion", "vat_source"), torch.tensor(0.0))
        expected = {**zeros, "vat_target": vat, "entropy": entropy, "teacher": taught}
        assert terms.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(terms[name], value.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("vada_share", "made"), [(0.35, (4, 6, 8)), (0.3, (3, 6, 9)), (0.2, (2, 5, 8))])
def test_the_teacher_is_what_the_averages_were_at_each_refresh(vada_share: float, made: tuple[int, ...]) -> None:
    method = build(refreshes=3, vada_share=vada_share)
    updates = Updates(method.train(), batches_of(), "fp32", 1)
    kept = copy.deepcopy(method.teacher)
    for step in range(TASK.steps):
        before = copy.deepcopy(method.averages.networks)
        updates.make(step)
        if step in made:
            kept = before
        for a, b in zip(method.teacher.state_dict().values(), kept.state_dict().values(), strict=True):
            assert torch.equal(a, b)


def test_the_teacher_reads_as_at_test_time_in_training_too() -> None:
    method = build().train()
    assert method.averages.training
    assert not method.teacher.training


def test_the_teacher_is_made_at_least_once() -> None:
    with pytest.raises(UserError, match="refreshes is 0"):
        DirtTConfig(refreshes=0)

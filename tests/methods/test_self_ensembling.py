"""Self-ensembling: an update made again by hand, and who classifies which domain."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from tests.methods.test_update import TASK, adam, batch_of, by_hand_teaching, follow_by_hand, same_parameters
from uda.errors import UserError
from uda.methods.self_ensembling import SelfEnsembling, SelfEnsemblingConfig

#: What the teacher of this test is sure of: some images, not all.
SURE = 0.46


def build(**settings: Any) -> SelfEnsembling:
    torch.manual_seed(1)
    return SelfEnsembling(SelfEnsemblingConfig(**{"width": 2, "learning_rate": 0.01, **settings}), TASK)


def test_an_update_made_by_hand() -> None:
    method = build(lambda_consistency=2.0, balance=0.3, confidence=SURE, decay=0.8, standardised=False)
    student = copy.deepcopy(nn.ModuleList([method.backbone, method.head]))
    teacher = copy.deepcopy(student).requires_grad_(False)
    optimiser = adam(student.parameters(), method.config)
    for step in (0, 1):
        batch = batch_of(step)
        classification = nn.CrossEntropyLoss()(student[1](student[0](batch.source_images)), batch.source_labels)
        on_target = student[1](student[0](batch.target_images))
        shown = teacher[1](teacher[0](batch.target_again))
        agreement, sure, balance = by_hand_teaching(on_target, shown, SURE)
        optimiser.zero_grad()
        (classification + 2.0 * agreement + 2.0 * 0.3 * sure * balance).backward()
        optimiser.step()
        follow_by_hand([*teacher], [*student], 0.8)

        terms = method.update(batch, torch.tensor(step))
        expected = {"classification": classification, "consistency": agreement, "sure": sure, "class_balance": balance}
        assert terms.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(terms[name], value.detach(), rtol=1e-4, atol=1e-6)
        same_parameters(nn.ModuleList([method.backbone, method.head]), student)
        same_parameters(method.teacher.networks, teacher)


def test_the_teacher_classifies_target_images_and_the_student_source_images() -> None:
    method = build(learning_rate=0.1)
    method.update(batch_of(), torch.tensor(0))
    method.eval()
    images = torch.rand(4, 1, 16, 16)
    seen = (images - images.mean((1, 2, 3), keepdim=True)) / images.std((1, 2, 3), keepdim=True)
    backbone, head = method.teacher.networks
    torch.testing.assert_close(method.predict(images), head(backbone(seen)), rtol=0.01, atol=0.01)
    torch.testing.assert_close(method.predict_source(images), method.head(method.backbone(seen)), rtol=0.01, atol=0.01)
    assert not torch.allclose(method.predict(images), method.predict_source(images), rtol=0.01, atol=0.01)


def test_a_batch_without_a_second_view_is_refused() -> None:
    with pytest.raises(UserError, match="second view"):
        build().update(replace(batch_of(), target_again=None), torch.tensor(0))

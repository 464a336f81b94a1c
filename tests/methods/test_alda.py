"""ALDA: an update made again by hand, with whole confusion matrices, and its losses where they are known."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.methods.test_dann import gradients
from tests.methods.test_update import TASK, adam, batch_of, same_parameters
from uda.methods.alda import Alda, AldaConfig, adversarial_loss, corrected_labels, corrected_loss

#: What the model of these tests is sure of: some target images, not all.
CONFIDENCE = {"unit": 0.42, "lenet": 0.349}


def build(**settings: Any) -> Alda:
    torch.manual_seed(1)
    return Alda(AldaConfig(**{"backbone": "unit", "width": 2, "hidden": 7, "learning_rate": 0.01, **settings}), TASK)


def confusion_matrix(trust: torch.Tensor) -> torch.Tensor:
    """Entry (k, l): how likely an image of which l is predicted is of class k."""
    rows = [[trust[j] if i == j else (1 - trust[j]) / 2 for j in range(3)] for i in range(3)]
    return torch.stack([torch.stack(row) for row in rows])


@pytest.mark.parametrize("backbone", ["unit", "lenet"])
def test_an_update_made_by_hand(backbone: str) -> None:
    settings = {"lambda_domain": 0.7, "ramp": 3.0, "lambda_corrected": 0.3}
    method = build(backbone=backbone, confidence=CONFIDENCE[backbone], **settings)
    networks = copy.deepcopy(nn.ModuleList([method.backbone, method.head, method.domain_head]))
    trunk, head, domain_head = networks
    optimiser = adam(networks.parameters(), method.config)
    for step in (4, 5):
        batch = batch_of(step)
        torch.manual_seed(step)
        features = trunk(torch.cat([batch.source_images, batch.target_images]))
        logits = head(features)
        classification = F.cross_entropy(logits[:6], batch.source_labels)
        p = F.softmax(logits, 1)
        trust = torch.sigmoid(domain_head(features))
        adversarial, corrected = [], []
        for i in range(11):
            label = int(p[i].argmax())
            column = confusion_matrix(trust[i])[:, label]
            if i < 6:
                wanted = torch.eye(3)[batch.source_labels[i]]
            elif p[i].max() > CONFIDENCE[backbone]:
                wanted = (1 - torch.eye(3)[label]) / 2
                corrected.append(sum(c * (1 - q) for c, q in zip(column.detach(), p[i], strict=True)))
            else:
                continue
            adversarial.append(F.binary_cross_entropy(column, wanted, reduction="sum"))
        assert 0 < len(corrected) < 5
        on_all, on_target = torch.stack(adversarial).mean(), torch.stack(corrected).mean()
        regularisation = F.cross_entropy(domain_head(features[:6].detach()), batch.source_labels)
        weight = 0.7 * (2 / (1 + math.exp(-3.0 * step / 10)) - 1)
        down, up = gradients(classification + 0.3 * on_target, trunk), gradients(on_all, trunk)
        by_hand = [a - weight * b for a, b in zip(down, up, strict=True)]
        by_hand += gradients(classification + 0.3 * on_target, head)
        by_hand += gradients(on_all + regularisation, domain_head)

        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        expected = {
            "classification": classification,
            "adversarial": on_all,
            "regularisation": regularisation,
            "corrected": on_target,
            "sure": torch.tensor(len(corrected) / 5),
        }
        assert terms.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(terms[name], value.detach())
        ours = nn.ModuleList([method.backbone, method.head, method.domain_head])
        for (name, a), b, parameter in zip(ours.named_parameters(), by_hand, networks.parameters(), strict=True):
            torch.testing.assert_close(a.grad, b, rtol=1e-4, atol=1e-4 * float(b.abs().max()), msg=name)
            parameter.grad = a.grad  # Adam divides by a gradient's size: the rounding of tiny ones would decide
        optimiser.step()
        same_parameters(ours, networks)


def test_a_label_is_corrected_by_what_is_left_of_trust() -> None:
    predicted = torch.tensor([[0.0, 1.0, 0.0, 0.0]])
    corrected = corrected_labels(predicted, torch.tensor([[0.9, 0.4, 0.9, 0.9]]))
    torch.testing.assert_close(corrected, torch.tensor([[0.2, 0.4, 0.2, 0.2]]))


def test_the_domain_classifier_wants_source_labels_right_and_target_labels_wrong() -> None:
    label, predicted = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0]])
    fitting, sure = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.0, 0.5]]), torch.ones(1)
    # nothing on the source, the entropies of two coins on the target; the mean over both images
    torch.testing.assert_close(adversarial_loss(fitting, predicted, label, sure), torch.tensor(math.log(2)))
    unsure = adversarial_loss(fitting, predicted, label, torch.zeros(1))
    torch.testing.assert_close(unsure, torch.tensor(0.0), rtol=0, atol=1e-6)


def test_no_sure_image_no_corrected_loss() -> None:
    p = torch.tensor([[0.7, 0.3], [0.5, 0.5]])
    corrected = torch.tensor([[0.9, 0.1], [0.5, 0.5]])
    assert corrected_loss(p, corrected, torch.zeros(2)) == 0
    torch.testing.assert_close(corrected_loss(p, corrected, torch.tensor([1.0, 0.0])), torch.tensor(1 - 0.63 - 0.03))

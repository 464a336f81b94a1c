"""ADDA: an update of each stage made again by hand, and which encoder reads which domain when."""

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.methods.by_hand import same_move
from tests.methods.test_update import TASK, adam, batch_of, same_parameters
from uda.data.augmentation import Augmentation
from uda.data.batches import Batches
from uda.errors import UserError
from uda.methods.adda import Adda, AddaConfig
from uda.training.updates import Updates


def build(**settings: Any) -> Adda:
    torch.manual_seed(1)
    return Adda(AddaConfig(**{"backbone": "lenet", "hidden": 7, "learning_rate": 0.01, **settings}), TASK)


def batches_of() -> Batches:
    images = torch.randint(0, 256, (8, *TASK.source_shape), dtype=torch.uint8, generator=torch.Generator())
    return Batches(images, torch.arange(8) % 3, 255 - images, 4, Augmentation(), 1)


def test_updates_of_the_source_stage_made_by_hand() -> None:
    method = build()
    before = copy.deepcopy(method)
    networks = copy.deepcopy(nn.Sequential(method.backbone, method.head))
    optimiser = adam(networks.parameters(), method.config)
    for step in (0, 1):
        batch = batch_of(step)
        torch.manual_seed(step)
        loss = -F.log_softmax(networks(batch.source_images), 1)[range(6), batch.source_labels].mean()
        optimiser.zero_grad()
        loss.backward()
        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        same_move([method.backbone, method.head], networks, optimiser)
        torch.testing.assert_close(terms.pop("classification"), loss.detach())
        assert terms == {"domain": 0, "mapping": 0}
    same_parameters(method.domain_head, before.domain_head)
    same_parameters(method.source_backbone, before.source_backbone)


@pytest.mark.parametrize("backbone", ["lenet", "dtn"])
def test_updates_of_the_adversarial_stage_made_by_hand(backbone: str) -> None:
    method = build(backbone=backbone)
    method.begin_stage(1, batches_of())
    method.stage = 1
    of_source, of_target, head, judge = copy.deepcopy(
        [method.source_backbone, method.backbone, method.head, method.domain_head]
    )
    same_parameters(of_source, of_target)
    of_source.eval()
    of_target.eval()
    rate = 0.2 * method.config.learning_rate
    play_d = torch.optim.Adam(judge.parameters(), lr=rate, betas=(0.5, 0.999))
    play_target = torch.optim.Adam(of_target.parameters(), lr=rate, betas=(0.5, 0.999))
    for step in (0, 1):
        batch = batch_of(step)
        torch.manual_seed(step)
        source, target = of_source(batch.source_images).detach(), of_target(batch.target_images)
        said = torch.sigmoid(judge(torch.cat([source, target.detach()])))[:, 0]
        domain = -said[:6].log().mean() - (1 - said[6:]).log().mean()
        play_d.zero_grad()
        domain.backward()
        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        # the domain classifier gets no gradient but its own
        same_move([method.domain_head], [judge], play_d)
        mapping = -torch.sigmoid(judge(target)).log().mean()
        play_target.zero_grad()
        mapping.backward()
        same_move([method.backbone], [of_target], play_target)
        assert terms.pop("classification") == 0
        assert terms.keys() == {"domain", "mapping"}
        torch.testing.assert_close(terms["domain"], domain.detach())
        torch.testing.assert_close(terms["mapping"], mapping.detach())
        same_parameters(method.source_backbone, of_source)
        same_parameters(method.head, head)


@pytest.mark.parametrize("backbone", ["lenet", "dtn"])
def test_each_domain_has_its_own_encoder_from_the_adversarial_stage_on(backbone: str) -> None:
    method, images = build(backbone=backbone), torch.rand(4, *TASK.source_shape)
    updates = Updates(method, batches_of(), "fp32", 1)
    for step in range(TASK.steps):
        updates.make(step)
        method.eval()
        same = torch.equal(method.predict(images), method.predict_source(images))
        assert same == (step < 3)
        if step == 2:
            kept = method.predict_source(images)
        elif step > 2:  # its running statistics are kept too, where it has any
            assert torch.equal(method.predict_source(images), kept)
        method.train()


def test_a_share_of_the_steps_is_below_one() -> None:
    with pytest.raises(UserError, match=r"source_share is 1\.0"):
        AddaConfig(source_share=1.0)


def test_the_adversarial_stage_learns_at_a_rate_of_its_own() -> None:
    method = build(adversarial_rate=0.5)
    for step, share in ((0, 1.0), (3, 1.0), (1, 0.75)):  # cosine: a third of a stage leaves three quarters
        method.schedule(step)
        rates = {name: optimiser.param_groups[0]["lr"] for name, optimiser in method.optimisers.items()}
        assert rates == pytest.approx({"source": 0.01 * share, "target": 0.005 * share, "domain": 0.005 * share})

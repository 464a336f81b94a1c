"""CoGAN: an update made again by hand, one discriminator pass for each kind of image."""

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.methods.test_update import TASK, adam, batch_of, log_d, same_parameters, with_placed
from uda.data.batches import Batch
from uda.errors import UserError
from uda.methods import TaskShape
from uda.methods.cogan import Cogan, CoganConfig


def build(task: TaskShape = TASK, **settings: Any) -> Cogan:
    torch.manual_seed(1)
    return Cogan(CoganConfig(**{"width": 2, "latent": 5, "learning_rate": 0.01, **settings}), task)


@pytest.mark.parametrize(("trunk", "plain"), [("blocks", False), ("lenet", False), ("blocks", True)])
def test_an_update_made_by_hand(trunk: str, plain: bool) -> None:
    settings: dict[str, Any] = {"own_first": True, "discriminator_trunk": trunk, "plain_game": plain}
    method = build(lambda_class=3.0, lambda_features=0.2, weight_decay=0.01, **settings)
    generator, discriminator, head = copy.deepcopy((method.generator, method.discriminator, method.head))
    play_d = adam([*discriminator.parameters(), *head.parameters()], method.config)
    play_g = adam(generator.parameters(), method.config)
    for step in (0, 1):
        batch = with_placed(batch_of(step))
        source = batch.source_images.flip(3) if plain else batch.source_images
        target = batch.target_images.flip(2) if plain else batch.target_images
        torch.manual_seed(step)
        h = generator.high(torch.randn(6, 5))
        drawn = [generator.low(h, 0), generator.low(h, 1)]
        fakes = [images.detach() for images in drawn]
        real = log_d(discriminator([(source, 0)])[0], True) + log_d(discriminator([(target, 1)])[0], True)
        fake = log_d(discriminator([(fakes[0], 0)])[0], False) + log_d(discriminator([(fakes[1], 1)])[0], False)
        read = lambda images, domain: discriminator.features([(images, domain)])[0].flatten(1)  # noqa: E731
        matching = ((read(fakes[0], 0) - read(fakes[1], 1)) ** 2).sum(1).mean()
        classification = F.cross_entropy(head(read(batch.source_images, 0)), batch.source_labels)
        play_d.zero_grad()
        (-(real + fake) / 2 + 3.0 * classification + 0.2 * matching).backward()
        play_d.step()
        verdicts = [discriminator([(drawn[0], 0)])[0], discriminator([(drawn[1], 1)])[0]]
        fooled = -(log_d(verdicts[0], True) + log_d(verdicts[1], True)) / 2
        play_g.zero_grad()
        fooled.backward()
        play_g.step()

        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        expected = {
            "gan_discriminator": -(real + fake) / 2,
            "feature_matching": matching,
            "classification": classification,
            "gan_generator": fooled,
        }
        assert terms.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(terms[name], value.detach(), rtol=1e-4, atol=1e-6)
        same_parameters(method.generator, generator)
        same_parameters(method.discriminator, discriminator)
        same_parameters(method.head, head)


def test_domains_share_the_first_layer_unless_it_is_set_or_their_channels_differ() -> None:
    images = torch.rand(4, 1, 16, 16)
    shared, own = build().eval(), build(own_first=True).eval()
    assert torch.equal(shared.predict(images), shared.predict_source(images))
    assert not torch.allclose(own.predict(images), own.predict_source(images))
    mixed = build(TaskShape((1, 16, 16), (3, 16, 16), 3, 10))
    colour = torch.rand(5, 3, 16, 16)
    mixed.update(Batch(images, torch.tensor([0, 1, 2, 0]), colour, torch.arange(5)), torch.tensor(0))
    assert mixed.predict(colour).shape == (5, 3)
    assert mixed.predict_source(images).shape == (4, 3)


def test_one_image_size_for_both_domains() -> None:
    with pytest.raises(UserError, match="one image size"):
        build(TaskShape((1, 16, 16), (1, 28, 28), 3, 10))


def test_its_preset_of_2016_has_the_authors_discriminators() -> None:
    config = CoganConfig(**{k: v for k, v in Cogan.presets["cogan-2016"].items() if k in CoganConfig.__annotations__})
    method = Cogan(config, TaskShape((1, 28, 28), (1, 28, 28), 10, 10))
    assert [layer.out_channels for layer in (*method.discriminator.private, *method.discriminator.shared)] == [
        *[20] * 2,  # each domain's own
        50,
        500,
    ]
    assert isinstance(method.head, nn.Linear)
    assert (method.head.in_features, method.head.out_features) == (500, 10)


def test_unknown_discriminators_are_refused() -> None:
    with pytest.raises(UserError, match=r"discriminator_trunk.*'lenet'"):
        build(discriminator_trunk="lenett")

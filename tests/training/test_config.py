"""The hash of a run: equal for equal runs only, and whole through JSON."""

import json
from dataclasses import asdict, replace

import pytest

from uda.data.augmentation import Augmentation
from uda.errors import UserError
from uda.methods.unit import UnitConfig
from uda.training.config import RunConfig, named_by

CONFIG = RunConfig("unit", "default", "mnist", "usps", "standard", 1, 10, 4, 5, "entropy", "fp32")


def test_every_choice_changes_the_hash() -> None:
    changed = [
        replace(CONFIG, seed=2),
        replace(CONFIG, steps=11),
        replace(CONFIG, augmentation=Augmentation(shift=1)),
        replace(CONFIG, settings={"width": 8}),
        replace(CONFIG, precision="bf16"),
    ]
    assert len({CONFIG.hash, *(config.hash for config in changed)}) == 6


@pytest.mark.parametrize("augmentation", [Augmentation(), Augmentation(tone=5.0, of_source=("tone",))])
def test_a_config_survives_json(augmentation: Augmentation) -> None:
    config = replace(CONFIG, augmentation=augmentation)
    stored = json.loads(json.dumps(config.to_dict()))
    assert RunConfig.from_dict(stored) == config
    assert json.dumps(named_by(stored)) == json.dumps(named_by(config.to_dict()))


def test_an_unknown_key_is_named_with_its_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'steps'"):
        RunConfig.from_dict({**CONFIG.to_dict(), "step": 3})


def test_a_setting_added_later_leaves_the_hash_at_its_neutral_value() -> None:
    settings = {"learning_rate": 0.1, "width": 8}
    before = replace(CONFIG, method="source-only", settings=settings)
    assert replace(before, settings={**settings, "backbone": "unit"}).hash == before.hash
    assert replace(before, settings={**settings, "backbone": "dtn"}).hash != before.hash
    assert replace(before, settings={**settings, "latent": 0}).hash != before.hash


def test_what_unit_got_later_leaves_the_hash_of_a_published_run_until_it_is_on() -> None:
    """The first run of UNIT in the table from USPS to MNIST, whose folder has this name."""
    settings = asdict(UnitConfig(learning_rate=3e-3, width=32, generator_width=8, discriminator_width=8))
    made = RunConfig(
        method="unit",
        preset="default",
        source="usps-esl",
        target="mnist",
        protocol="standard",
        seed=1,
        steps=2000,
        batch_size=64,
        evaluate_every=200,
        validator="information-maximization",
        precision="fp32",
        augmentation=Augmentation(shift=2, affine=0.1),
        settings=settings,
    )
    assert made.name == "usps-esl-mnist-unit-default-seed1-881ae21066bf"
    own = replace(made, source="folder:photos", target="npz:mine/sketches.npz")
    assert own.name == f"photos-sketches-unit-default-seed1-{own.hash}"
    later = ["lambda_semantic", "lambda_semantic_back", "lambda_information", "lambda_entropy", "lambda_vat_source"]
    later += ["lambda_vat_target", "vat_radius", "average_decay", "refine_share", "refine_pseudo", "refine_rate"]
    later += ["refine_even"]
    later += ["game_share", "plain_game", "own_encoder", "own_generator", "own_discriminator", "depth", "alignment"]
    later += ["strong_views"]
    others = [
        replace(made, settings={**settings, name: value})
        for name, value in (("discriminator_trunk", "lenet"), ("teaching", "classes"))
    ]
    others += [replace(made, settings={**settings, name: settings[name] + 1}) for name in later]
    for switch in ({"colour": True}, {"texture": 1.0}, {"tone": 5.0}, {"painted": 0.5}, {"of_source": ("shift",)}):
        others.append(replace(made, augmentation=replace(made.augmentation, **switch)))
    assert len({made.hash, *(other.hash for other in others)}) == 1 + len(others)

"""The hash of a run: equal for equal runs only, and whole through JSON."""

import json
from dataclasses import replace

import pytest

from uda.data.batches import Augmentation
from uda.errors import UserError
from uda.training.config import RunConfig

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


def test_a_config_survives_json() -> None:
    assert RunConfig.from_dict(json.loads(json.dumps(CONFIG.to_dict()))) == CONFIG


def test_an_unknown_key_is_named_with_its_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'steps'"):
        RunConfig.from_dict({**CONFIG.to_dict(), "step": 3})


def test_a_setting_added_later_leaves_the_hash_at_its_neutral_value() -> None:
    settings = {"learning_rate": 0.1, "width": 8}
    before = replace(CONFIG, method="source-only", settings=settings)
    assert replace(before, settings={**settings, "backbone": "unit"}).hash == before.hash
    assert replace(before, settings={**settings, "backbone": "dtn"}).hash != before.hash
    assert replace(before, settings={**settings, "latent": 0}).hash != before.hash

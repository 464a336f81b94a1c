import json
import shlex

import pytest

from uda.cli.train import parse_settings, train
from uda.errors import UserError
from uda.evaluation.command import train_command
from uda.methods import METHODS
from uda.training.config import RunConfig
from uda.training.resolve import resolve

PRESETS = [(name, preset) for name, method in METHODS.items() for preset in method.presets]


def typed(command: str) -> RunConfig:
    """What `uda train` would run, by its own parser."""
    program, subcommand, *arguments = shlex.split(command)
    assert (program, subcommand) == ("uda", "train")
    given = train.make_context("train", arguments).params
    overrides = parse_settings(given["settings"]) | {
        name: given[name] for name in ("steps", "batch_size", "precision") if given[name] is not None
    }
    return resolve(
        given["method"],
        given["source"],
        given["target"],
        preset=given["preset"],
        protocol=given["protocol"],
        seed=given["seed"],
        overrides=overrides,
    )


@pytest.mark.parametrize(("method", "preset"), PRESETS)
def test_the_command_makes_the_same_run(method: str, preset: str) -> None:
    overrides = {
        "steps": 77,
        "starts": 2,
        "start_steps": 7,
        "precision": "bf16",
        "validator": "entropy",
        "augmentation.affine": 0.1,
        "augmentation.flip": True,
        "learning_rate": 1e-5,
    }
    config = resolve(
        method, "npz:/my data/it's.npz", "optdigits", preset=preset, protocol="embedded", seed=0, overrides=overrides
    )
    read_back = RunConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert typed(train_command(read_back)).hash == config.hash


def test_it_names_only_what_differs() -> None:
    config = resolve("unit", "mnist", "usps", overrides={"width": 16, "precision": "fp32"})
    assert train_command(config) == (
        "uda train --source mnist --target usps --method unit --preset default --protocol standard --seed 1 "
        "--steps 2000 --batch-size 64 --precision fp32 --set width=16"
    )


def test_what_this_version_does_not_have_is_an_error() -> None:
    values = resolve("unit", "mnist", "usps").to_dict()
    for change in ({"method": "unot"}, {"preset": "ancient"}, {"settings": {**values["settings"], "widht": 3}}):
        with pytest.raises(UserError, match="unknown"):
            train_command(RunConfig.from_dict({**values, **change}))

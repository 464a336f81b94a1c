"""From names and overrides to a config: what wins, what is converted, what is refused."""

from typing import Any, Literal

import pytest
import torch

from uda.errors import UserError
from uda.methods import METHODS
from uda.training.config import RunConfig
from uda.training.devices import resolve_precision
from uda.training.resolve import resolve, typed, with_seed
from uda.training.starts import APART, start_seed


def make(method: str = "unit", **options: Any) -> RunConfig:
    return resolve(method, "rendered", "optdigits", protocol="embedded", device="cpu", **options)


@pytest.mark.parametrize("method", METHODS)
def test_every_preset_of_every_method_resolves_to_a_full_config(method: str) -> None:
    for preset in METHODS[method].presets:
        config = make(method, preset=preset)
        assert METHODS[method].Config(**config.settings)
        assert config.precision == resolve_precision("cpu", "auto")
        assert RunConfig.from_dict(config.to_dict()) == config


def test_overrides_win_over_the_preset_and_the_preset_over_the_defaults() -> None:
    assert make().steps == 2000
    preset = make(preset="unit-2017")
    assert (preset.steps, preset.settings["width"]) == (200_000, 96)
    changed = make(preset="unit-2017", overrides={"steps": 5, "width": 8, "augmentation.shift": 2})
    assert (changed.steps, changed.settings["width"], changed.augmentation.shift) == (5, 8, 2)
    assert changed.settings["lambda_class"] == preset.settings["lambda_class"]


def test_a_whole_number_and_its_decimal_name_the_same_run() -> None:
    whole, decimal = make(overrides={"lambda_0": 2}), make(overrides={"lambda_0": 2.0})
    assert isinstance(whole.settings["lambda_0"], float)
    assert whole.hash == decimal.hash


def test_everything_that_matters_changes_the_hash() -> None:
    changes: list[dict[str, Any]] = [{}, {"seed": 2}, {"overrides": {"width": 8}}, {"overrides": {"steps": 3}}]
    changes.append({"overrides": {"augmentation.noise": 0.1}})
    assert len({make(**change).hash for change in changes}) == len(changes)


def test_every_start_of_a_run_can_be_drawn_by_its_seed() -> None:
    torch.manual_seed(make(seed=2**63 - 1).seed)
    several = {"starts": 3, "start_steps": 2}
    config = make(seed=2**63 - 1 - 2 * APART, overrides=several)
    torch.manual_seed(start_seed(config.seed, 2))
    with pytest.raises(UserError, match=f"seed is {2**63}: it must be below 2\\^63$"):
        make(seed=2**63)
    with pytest.raises(UserError, match=r"it must be below 2\^63, for each start$"):
        make(seed=2**63 - 2 * APART, overrides=several)
    with pytest.raises(UserError, match="must be below"):
        with_seed(config, config.seed + 1)


@pytest.mark.parametrize(
    ("value", "kind", "result"),
    [
        (1, float, 1.0),
        ("a", Literal["a", "b"], "a"),
        ([1, 2], tuple[int, ...], (1, 2)),
        ([1, 2.5], tuple[float, float], (1.0, 2.5)),
        ("none", int | None, None),
        (3, int | None, 3),
    ],
)
def test_values_become_their_type(value: Any, kind: Any, result: Any) -> None:
    converted = typed("key", value, kind)
    assert converted == result
    assert type(converted) is type(result)


@pytest.mark.parametrize(
    ("value", "kind", "sentence"),
    [
        (True, int, "key is True: it must be a whole number"),
        (True, float, "key is True: it must be a number"),
        (float("inf"), float, "key is inf: it must be a number"),
        (1, str, "key is 1: it must be a name"),
        ("c", Literal["aa", "ab"], "unknown value of key 'c': known are aa, ab"),
        (3, Literal["a", "b"], "key is 3: it must be one of a, b"),
        ("x", tuple[int, ...], "key is 'x': it must be a list, each of it a whole number"),
        ([1], tuple[int, int], "key has 1 values: it takes 2"),
        (["x"], tuple[int, ...], "key is 'x': it must be a whole number"),
        ("x", int | None, "key is 'x': it must be a whole number or none"),
    ],
)
def test_values_of_another_type_are_refused(value: Any, kind: Any, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        typed("key", value, kind)
    assert str(caught.value) == sentence

"""From names and overrides to a `RunConfig`: every key known, every value of its type, nothing left to a default."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from uda.data.augmentation import Augmentation
from uda.data.domains import find_domain
from uda.data.protocols import find_protocol
from uda.errors import UserError, unknown
from uda.methods import METHODS
from uda.metrics.validators import find_validator
from uda.training.config import RunConfig
from uda.training.devices import resolve_precision
from uda.training.starts import start_seed

#: What a run is made of beside its method's settings and its augmentation, where nothing else is said.
RUN_DEFAULTS: dict[str, Any] = {
    "steps": 2000,
    "batch_size": 64,
    "evaluate_every": 250,
    "validator": "information-maximization",
    "precision": "auto",
    "starts": 1,
    "start_steps": 0,
}


def resolve(
    method: str,
    source: str,
    target: str,
    *,
    preset: str = "default",
    protocol: str = "standard",
    seed: int = 1,
    overrides: Mapping[str, Any] | None = None,
    device: str = "auto",
) -> RunConfig:
    """Resolve one run.

    Parameters
    ----------
    method, source, target, preset, protocol
        Names from the registries.
    seed
        0 or more.
    overrides
        Keys are those of `known_keys`: ``steps``, ``augmentation.shift``, or a setting of the method. They win over
        the preset's, and those over the defaults.
    device
        Where the run will be made; decides what precision ``"auto"`` is.

    Raises
    ------
    UserError
        For an unknown name or key (naming the nearest known one) and for a value of the wrong type or range.
    """
    keys = known_keys(method)
    source, target = find_domain(source).name, find_domain(target).name
    find_protocol(protocol)
    chosen = {**RUN_DEFAULTS, **preset_overrides(method, preset), **(overrides or {})}
    for key, value in chosen.items():
        if key not in keys:
            raise unknown(f"setting of {method}", key, keys)
        chosen[key] = typed(key, value, keys[key])
    find_validator(chosen["validator"])
    _check_starts(chosen["starts"], chosen["start_steps"], chosen["steps"])
    settings, augmentation = {}, {}
    for key, value in chosen.items():
        if key.startswith("augmentation."):
            augmentation[key.removeprefix("augmentation.")] = value
        elif key not in RUN_DEFAULTS:
            settings[key] = value
    return RunConfig(
        method=method,
        preset=preset,
        source=source,
        target=target,
        protocol=protocol,
        seed=_checked_seed(seed, chosen["starts"]),
        steps=at_least("steps", chosen["steps"], 1),
        batch_size=at_least("batch_size", chosen["batch_size"], 2),
        evaluate_every=at_least("evaluate_every", chosen["evaluate_every"], 1),
        validator=chosen["validator"],
        precision=resolve_precision(device, chosen["precision"]),
        augmentation=Augmentation(**augmentation),
        settings=asdict(METHODS[method].Config(**settings)),
        starts=chosen["starts"],
        start_steps=chosen["start_steps"],
    )


def with_seed(config: RunConfig, seed: int) -> RunConfig:
    """Return the run of another seed; `UserError` for one that no run can have."""
    return replace(config, seed=_checked_seed(seed, config.starts))


def known_keys(method: str) -> dict[str, Any]:
    """Return every key that a run of this method may set, with its type; `UserError` for an unknown method."""
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    run = get_type_hints(RunConfig)
    keys = {key: run[key] for key in RUN_DEFAULTS}
    keys |= {f"augmentation.{key}": kind for key, kind in _field_types(Augmentation).items()}
    return keys | _field_types(METHODS[method].Config)


def preset_overrides(method: str, preset: str) -> dict[str, Any]:
    """Return a preset as flat overrides; `UserError` names the nearest preset where there is none of that name."""
    presets = METHODS[method].presets
    if preset not in presets:
        raise unknown(f"preset of {method}", preset, presets)
    return flatten(presets[preset])


def flatten(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write a nested ``augmentation`` table as dotted keys; all else stays."""
    flat = {key: value for key, value in values.items() if key != "augmentation"}
    return flat | {f"augmentation.{key}": value for key, value in values.get("augmentation", {}).items()}


def flat(config: RunConfig) -> dict[str, Any]:
    """Return what may be set of a run, by the keys that ``--set`` knows."""
    values = config.to_dict()
    settings: dict[str, Any] = values["settings"]
    return flatten({name: values[name] for name in (*RUN_DEFAULTS, "augmentation")}) | settings


def typed(key: str, value: Any, kind: Any) -> Any:
    """Return the value as the type ``kind``, or raise `UserError` saying what the key takes.

    Only what loses nothing is converted: a whole number where a decimal one is meant, a list where a tuple is.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        if value in arguments:
            return value
        if isinstance(value, str):
            raise unknown(f"value of {key}", value, [str(argument) for argument in arguments])
    elif origin in (Union, types.UnionType):
        for option in arguments:
            if option is type(None) and value in (None, "none"):
                return None
            if option is not type(None) and _fits(value, option):
                return typed(key, value, option)
    elif _fits(value, kind):
        if origin is tuple:
            return _typed_tuple(key, value, arguments)
        return float(value) if kind is float else value
    raise UserError(f"{key} is {value!r}: it must be {_in_words(kind)}")


def at_least(key: str, value: int, least: int) -> int:
    """Return the value, or raise `UserError` if it is below ``least``."""
    if value < least:
        raise UserError(f"{key} is {value}: it must be {least} or more")
    return value


def _checked_seed(seed: int, starts: int) -> int:
    """Return a seed by which torch can draw, and by which the last start of the run can, too."""
    if start_seed(seed, starts - 1) >= 2**63:
        raise UserError(f"seed is {seed}: it must be below 2^63" + (", for each start" if starts > 1 else ""))
    return at_least("seed", seed, 0)


def _check_starts(starts: int, start_steps: int, steps: int) -> None:
    """Refuse starts that could not be compared, or that would change nothing."""
    at_least("starts", starts, 1)
    if starts > 1 and not 1 <= start_steps < steps:
        raise UserError(
            f"start_steps is {start_steps:,} with {starts} starts of a run of {steps:,} steps: it must be 1 or more, "
            "and less than the run has"
        )
    if starts == 1 and start_steps:
        raise UserError(f"start_steps is {start_steps:,}, but there is one start alone: set starts to 2 or more")


def _field_types(config: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(config)
    return {field.name: hints[field.name] for field in fields(config)}


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is tuple:
        return isinstance(value, list | tuple)
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, kind)


def _typed_tuple(key: str, value: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    kinds = (arguments[0],) * len(value) if arguments[-1] is Ellipsis else arguments
    if len(kinds) != len(value):
        raise UserError(f"{key} has {len(value)} values: it takes {len(kinds)}")
    return tuple(typed(key, part, kind) for part, kind in zip(value, kinds, strict=True))


def _in_words(kind: Any) -> str:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return "one of " + ", ".join(str(argument) for argument in arguments)
    if origin is tuple:
        return "a list, each of it " + _in_words(arguments[0])
    if origin in (Union, types.UnionType):
        return " or ".join(_in_words(argument) for argument in arguments)
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "a name", type(None): "none"}
    return words[kind]

"""The command that makes a run again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from uda.errors import UserError
from uda.training.config import RunConfig
from uda.training.resolve import flat, resolve

# Options of `uda train`; every other setting is given by --set.
_OPTIONS = {"steps": "--steps", "batch_size": "--batch-size", "precision": "--precision"}
_ABSENT = object()


def train_command(config: RunConfig) -> str:
    """Write the ``uda train`` command of a run: what differs from its preset, and what depends on the machine.

    The run that it makes has the same hash, wherever the data and the run folders are.

    Raises
    ------
    UserError
        Where this version has no such method, preset, domain or setting, or gives the preset another meaning that a
        command cannot undo.
    """
    options = ["--source", config.source, "--target", config.target, "--method", config.method]
    for name in ("preset", "protocol", "seed"):
        options += [f"--{name}", str(getattr(config, name))]
    preset = flat(resolve_again(config, {}))
    kept = {key: value for key, value in flat(config).items() if key in _OPTIONS or value != preset.get(key, _ABSENT)}
    if resolve_again(config, kept).hash != config.hash:
        raise UserError(f"run {config.hash} was made by a version of uda whose settings mean something else here")
    for key, value in kept.items():
        text = literal(value)
        options += [_OPTIONS[key], text] if key in _OPTIONS else ["--set", f"{key}={text}"]
    return shlex.join(["uda", "train", *options])


def resolve_again(config: RunConfig, overrides: Mapping[str, Any]) -> RunConfig:
    """Resolve a run's names with some settings."""
    return resolve(
        config.method,
        config.source,
        config.target,
        preset=config.preset,
        protocol=config.protocol,
        seed=config.seed,
        overrides=overrides,
        device="cpu",
    )


def literal(value: Any) -> str:
    """Write a value as ``--set`` reads it: TOML, and a name as it is."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(repr(part) if isinstance(part, str) else literal(part) for part in value)}]"
    return "none" if value is None else str(value)

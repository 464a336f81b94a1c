"""``uda methods``: what can be trained, and the settings and presets of one method."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import click

from uda.data.augmentation import Augmentation
from uda.errors import unknown
from uda.methods import METHODS, Method
from uda.methods.ranges import Range, ranges_of
from uda.training.resolve import RUN_DEFAULTS, flatten


@click.command("methods")
@click.argument("name", required=False)
def methods(name: str | None) -> None:
    """List the methods: what each does about the shift, its paper, what it needs, and its presets.

    With the NAME of one, say what its settings mean, their defaults, and what each of its presets sets.
    """
    if name is not None and name not in METHODS:
        raise unknown("method", name, METHODS)
    for each in METHODS if name is None else [name]:
        click.echo("\n".join(_summary(METHODS[each])))
    if name is not None:
        click.echo("\n".join(_settings(METHODS[name])))


def _summary(method: type[Method]) -> Iterator[str]:
    kind = "" if method.kind == method.name else f"  ({method.kind})"
    yield f"{method.name}{kind}"
    yield f"  {method.summary}"
    if method.paper:
        yield f"  {method.paper}"
    if method.needs:
        yield f"  needs: {method.needs}"
    yield f"  presets: {', '.join(method.presets)}"


def _settings(method: type[Method]) -> Iterator[str]:
    """Say all that a recipe or ``--set`` may change, as it is written there."""
    yield from ("", "What the settings mean")
    for described in (*reversed(method.Config.__mro__), Augmentation):
        if is_dataclass(described):
            yield from (f"  {line}".rstrip() for line in ["", *(inspect.getdoc(described) or "").splitlines()])
    yield from ("", "Settings, and what they are where nothing else is said")
    narrow = {name: allowed for name, allowed in ranges_of(method.Config).items() if allowed != Range()}
    yield from _written(asdict(method.Config()), narrow)
    yield from ("", "Those of a run, likewise")
    yield from _written(RUN_DEFAULTS | flatten({"augmentation": asdict(Augmentation())}))
    for preset, values in method.presets.items():
        if values:
            alone = ", with its augmentation in place of a recipe's" if "augmentation" in values else ""
            yield from ("", f"Preset {preset}{alone}")
            yield from _written(flatten(values))


def _written(settings: Mapping[str, Any], ranges: Mapping[str, Range] | None = None) -> Iterator[str]:
    """Write settings as TOML has them, and their ranges; none of theirs is more than a value or a list of values."""
    for key, value in settings.items():
        allowed = f"  # {ranges[key]}" if ranges and key in ranges else ""
        yield f"  {key} = {'none' if value is None else json.dumps(value)}{allowed}"

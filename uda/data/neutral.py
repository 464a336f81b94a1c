"""Settings that came after results were published: at their neutral value they are left out of what names a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any


def added(neutral: Any) -> Any:
    """Declare a setting that a dataclass of settings got after results with it were published.

    At its neutral value, which is also its default, all is what it was before. There the setting is left out of a
    run's hash, so that those results keep their names.
    """
    return field(default=neutral, metadata={"neutral": neutral})


def telling(values: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """Return the values of a dataclass of settings without those that were `added` and are neutral."""
    neutral = _neutral(kind)
    return {key: value for key, value in values.items() if key not in neutral or _stored(value) != neutral[key]}


def completed(values: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """Return the values of a dataclass of settings, with neutral ones where they are older than an `added` setting."""
    return {**_neutral(kind), **values}


def _neutral(kind: type[Any]) -> dict[str, Any]:
    return {f.name: f.metadata["neutral"] for f in fields(kind) if "neutral" in f.metadata}


def _stored(value: Any) -> Any:
    """Return a value of a setting; JSON gives lists for tuples."""
    return tuple(value) if isinstance(value, list) else value

"""What a run has otherwise than the preset that it is named after."""

from __future__ import annotations

from typing import Any

from uda.training.config import RunConfig
from uda.training.resolve import RUN_DEFAULTS, flat, preset_overrides

#: What tables tell of every run, or what changes how often one is looked at and not what is trained.
_TOLD = {*RUN_DEFAULTS} - {"batch_size"}


def departures(config: RunConfig) -> dict[str, Any]:
    """Return the settings that a run's preset sets and the run has otherwise, with the run's values.

    What the preset leaves open is no departure, and neither is what tables tell of every run.
    """
    values, preset = flat(config), preset_overrides(config.method, config.preset)
    return {key: values[key] for key, value in preset.items() if key not in _TOLD and values[key] != value}


def departure_notes(config: RunConfig) -> tuple[str, ...]:
    """Say in a note what the run has otherwise; nothing where that is nothing."""
    told = ", ".join(f"{key} {in_words(value)}" for key, value in departures(config).items())
    return (f"not as preset {config.preset}: {told}",) if told else ()


def in_words(value: Any) -> str:
    """Return a setting's value as a note or a label has it."""
    return f"{value:g}" if isinstance(value, float) else str(value).lower()

"""What a run is: every choice that its result depends on, and the hash that names it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from uda.data.augmentation import Augmentation
from uda.data.neutral import added, completed, telling
from uda.errors import unknown
from uda.methods import METHODS


@dataclass(frozen=True)
class RunConfig:
    """One run, resolved: nothing is left to a default that could change under it.

    Attributes
    ----------
    method, preset
        Which method, and which of its named settings it starts from.
    source, target, protocol
        The pair, and the protocol that fixes its files, splits, size and channels.
    seed
        Seeds weights, batches, augmentation and noise.
    steps
        Number of updates.
    batch_size
        Images per domain in one update.
    evaluate_every
        Steps between two evaluations (validators and, for the record, target test accuracy).
    validator
        Name of the label-free validator that picks a checkpoint.
    precision
        ``"fp32"`` or ``"bf16"``, resolved for the device.
    augmentation
        What is done to each training image of both domains.
    settings
        The method's own ``Config`` as a dict.
    starts
        How many starts are tried, each with other weights, batches and noise; the one that the validator scores highest
        goes on.
    start_steps
        Updates after which they are compared; 0 where there is but one.
    """

    method: str
    preset: str
    source: str
    target: str
    protocol: str
    seed: int
    steps: int
    batch_size: int
    evaluate_every: int
    validator: str
    precision: str
    augmentation: Augmentation = field(default_factory=Augmentation)
    settings: dict[str, Any] = field(default_factory=dict)
    starts: int = added(1)
    start_steps: int = added(0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values only, ready for JSON and for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunConfig:
        """Rebuild what `to_dict` gave; an unknown key is a `UserError` that names the nearest known one."""
        known = {f.name for f in fields(cls)}
        for key in values:
            if key not in known:
                raise unknown("run setting", key, known)
        return cls(**{**values, "augmentation": Augmentation.from_dict(values.get("augmentation", {}))})

    @property
    def updates(self) -> int:
        """All that are made: those of the starts that are not kept, too."""
        return self.steps + (self.starts - 1) * self.start_steps

    @property
    def start_notes(self) -> tuple[str, ...]:
        """What a table has to say of the starts; nothing where there is but one."""
        if self.starts == 1:
            return ()
        return (f"the best of {self.starts} starts after {self.start_steps:,} steps, by {self.validator}",)

    @property
    def hash(self) -> str:
        """First 12 hex digits of the SHA-256 of the canonical JSON: equal for equal runs only."""
        canonical = json.dumps(named_by(self.to_dict()), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def name(self) -> str:
        """Name of the run folder: for people in front, the hash behind."""
        pair = "-".join(Path(domain.rpartition(":")[2]).stem for domain in (self.source, self.target))
        return f"{pair}-{self.method}-{self.preset}-seed{self.seed}-{self.hash}"


def named_by(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what names a run, of a config as plain values: all but what was added later and changes nothing in it."""
    return _each_table(config, telling)


def whole(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config as plain values with what it lacks, as it is older, at the value that changes nothing."""
    return _each_table(config, completed)


def _each_table(
    config: Mapping[str, Any], change: Callable[[Mapping[str, Any], type[Any]], dict[str, Any]]
) -> dict[str, Any]:
    """Change the run's own values, its augmentation and its method's settings, each by the dataclass that it is of."""
    found = {**change(config, RunConfig), "augmentation": change(config.get("augmentation", {}), Augmentation)}
    if config.get("method") in METHODS:
        found["settings"] = change(config.get("settings", {}), METHODS[config["method"]].Config)
    return found


def settings_of(config: RunConfig) -> Any:
    """Return the settings of a run's method, as its ``Config``; `UserError` where there is no such method."""
    if config.method not in METHODS:
        raise unknown("method", config.method, METHODS)
    return METHODS[config.method].Config(**config.settings)

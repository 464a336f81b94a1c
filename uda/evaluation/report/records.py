"""What ``run.json`` says of each run of a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from uda.errors import UserError
from uda.evaluation.command import train_command
from uda.evaluation.runs import RunResult
from uda.evaluation.series import Series
from uda.training.config import RunConfig


@dataclass(frozen=True)
class RunRecord:
    """One finished run with what its folder says of it.

    Attributes
    ----------
    label
        As in the tables.
    result
        What it found.
    values
        ``run.json``; empty for a run that only a ``runs.csv`` tells of.
    """

    label: str
    result: RunResult
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> dict[str, Any]:
        """Its whole config; empty where it is not known."""
        return dict(self.values.get("config", {}))

    @property
    def command(self) -> tuple[str, str]:
        """The command that makes it again, and why there is none: one of the two is empty."""
        if not self.config:
            return "", "only its row in a runs.csv is known, which does not hold its whole config"
        try:
            return train_command(RunConfig.from_dict(self.config)), ""
        except (UserError, TypeError) as error:
            return "", f"this version of uda cannot make it again: {error}"

    @property
    def typed(self) -> str:
        """What was typed; empty where it is not known."""
        return str(self.values.get("command", ""))

    @property
    def versions(self) -> dict[str, str]:
        """Versions of what it stood on, its code first."""
        return {**dict(self.values.get("versions", {})), "uda": self.result.code_version}

    @property
    def device(self) -> str:
        """The device by name, with the threads of a processor."""
        device = self.values.get("device", {})
        name = str(device.get("name", self.result.device))
        threads = device.get("threads")
        if device.get("type") != "cpu" or not threads:
            return name
        return f"{name}, {threads} thread{'' if threads == 1 else 's'}"

    @property
    def files(self) -> list[dict[str, Any]]:
        """Name, checksum and verification of each file that it read."""
        return list(self.values.get("files", []))


def read_records(series: tuple[Series, ...]) -> list[RunRecord]:
    """Read what the folders of all runs say, in the order of the tables."""
    return [
        RunRecord(each.label, run, _read(folder))
        for each in series
        for run, folder in zip(each.runs, each.folders, strict=True)
    ]


def _read(folder: Path | None) -> dict[str, Any]:
    path = folder / "run.json" if folder else None
    if path is None or not path.is_file():
        return {}
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values

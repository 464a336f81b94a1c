"""A stored run, whole: everything that its folder says of it, ready to be checked against a new computation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uda.errors import UserError
from uda.evaluation.result import as_picked
from uda.evaluation.runs import read_result
from uda.evaluation.series import Predictions, read_predictions
from uda.training.checkpoint import checkpoint_config, read_checkpoint
from uda.training.config import RunConfig
from uda.training.probe import Layout


@dataclass(frozen=True)
class StoredRun:
    """What a finished run's folder holds.

    Attributes
    ----------
    folder
        Where it is.
    config
        What was run.
    about
        ``run.json``: device, layout, versions, files.
    result
        ``result.json``, with pick and oracle by `as_picked`.
    lines
        ``metrics.jsonl``, one dict per evaluation.
    predictions
        ``predictions.npz``; None where a run of an older version has none.
    checkpoint
        ``checkpoint.pt``.
    """

    folder: Path
    config: RunConfig
    about: dict[str, Any]
    result: dict[str, Any]
    lines: list[dict[str, Any]]
    predictions: Predictions | None
    checkpoint: dict[str, Any]

    @property
    def scored(self) -> bool:
        """Whether it has accuracies."""
        return self.result["accuracy_last"] is not None

    @property
    def layout(self) -> Layout:
        """How the run lay in memory; the default where it does not say."""
        return Layout(**self.about.get("layout", {}))

    @property
    def device(self) -> dict[str, Any]:
        """Type and name of the run's device, and its threads; empty where it does not say."""
        return dict(self.about.get("device", {}))


def read_stored_run(folder: Path) -> StoredRun:
    """Read a finished run's folder.

    Raises
    ------
    UserError
        For a folder that is no run, a run that is not finished, a file that is damaged, or files of different runs.
    """
    if not (folder / "run.json").is_file():
        raise UserError(f"{folder}: no run folder, it has no run.json; give the folder of a finished run")
    if not (folder / "result.json").is_file():
        raise UserError(f"{folder}: is not finished, it has no result.json; finish it with `uda train` first")
    read_result(folder)  # checks each value of it
    about, result = _read_json(folder / "run.json"), _read_json(folder / "result.json")
    path = folder / "checkpoint.pt"
    checkpoint = read_checkpoint(path)
    config = checkpoint_config(path, checkpoint)
    owners = {"run.json": about.get("config_hash"), "result.json": result.get("config_hash")}
    for name, owner in owners.items():
        if owner != config.hash:
            raise UserError(
                f"{folder}: {name} speaks of the run {owner} and checkpoint.pt of {config.hash}; "
                "put the files of one run together, or move that run's folder away and train again"
            )
    lines, predictions = _read_lines(folder / "metrics.jsonl"), read_predictions(folder, config.method)
    return StoredRun(folder, config, about, as_picked(result), lines, predictions, checkpoint)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(
            f"{path}: cannot be read as JSON ({error}); move that run's folder away and train again"
        ) from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: holds no JSON object; move that run's folder away and train again")
    return values


def _read_lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise UserError(f"{path}: is missing; move that run's folder away and train again")
    try:
        return [json.loads(line) for line in path.read_bytes().splitlines()]
    except ValueError as error:
        raise UserError(
            f"{path}: cannot be read as JSON lines ({error}); move that run's folder away and train again"
        ) from error

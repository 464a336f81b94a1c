"""Finished runs: found in folders or in a ``runs.csv``, and exported to one."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from uda.errors import UserError


@dataclass(frozen=True)
class RunResult:
    """What a finished run found: one row of ``runs.csv``.

    Attributes
    ----------
    method, preset, source, target, protocol, seed, steps
        What was run.
    accuracy_last, accuracy_validator, accuracy_oracle
        Target test accuracy in percent at the last step, at the validator's pick and at its best (the oracle's).
    validator, validator_step, oracle_step
        The label-free validator, the step that it picked, and the oracle's.
    n_test
        Number of target test images.
    device, precision, seconds, steps_per_second
        How it was run.
    config_hash, code_version
        What names it.
    notes
        Joined by ``"; "``; may be empty.
    settings
        Hash of the settings that have no attribute here (batch size, augmentation, the method's own); empty where a
        folder holds a result alone.
    """

    method: str
    preset: str
    source: str
    target: str
    protocol: str
    seed: int
    steps: int
    accuracy_last: float
    accuracy_validator: float
    accuracy_oracle: float
    validator: str
    validator_step: int
    oracle_step: int
    n_test: int
    device: str
    precision: str
    seconds: float
    steps_per_second: float
    config_hash: str
    code_version: str
    notes: str
    settings: str = field(default="", compare=False)

    @property
    def pair(self) -> tuple[str, str]:
        """(source, target)."""
        return self.source, self.target


COLUMNS = tuple(f.name for f in fields(RunResult))
_TYPES = {f.name: {"str": str, "int": int, "float": float}[str(f.type)] for f in fields(RunResult)}


@dataclass(frozen=True)
class FoundRuns:
    """What a search found.

    Attributes
    ----------
    results
        Finished runs, one per config hash, in the order found.
    unfinished
        Run folders without a result: still running, or stopped.
    """

    results: tuple[RunResult, ...]
    unfinished: tuple[Path, ...]


def find_runs(paths: Iterable[Path]) -> FoundRuns:
    """Find finished runs.

    Parameters
    ----------
    paths
        Run folders, folders of run folders (up to two levels down), or ``runs.csv`` files.

    Raises
    ------
    UserError
        For a path that does not exist, holds no run at all, or holds a result that cannot be read.
    """
    results: dict[str, RunResult] = {}
    unfinished: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            folders = _run_folders(path)
            if not folders:
                raise UserError(
                    f"{path}: no run folder in it, nor one or two levels below; give the folder of the runs"
                )
            finished = [folder for folder in folders if (folder / "result.json").exists()]
            unfinished.update((folder, None) for folder in folders if folder not in finished)
            found = [read_result(folder) for folder in finished]
        elif path.is_file() and path.suffix == ".csv":
            found = read_csv(path)
        elif path.exists():
            raise UserError(f"{path}: neither a run folder nor a .csv file of runs")
        else:
            raise UserError(f"{path}: no such file or folder; give run folders, folders of them, or a runs.csv")
        for result in found:
            results.setdefault(result.config_hash, result)
    return FoundRuns(tuple(results.values()), tuple(unfinished))


def _run_folders(path: Path) -> list[Path]:
    """Return the run folders at, one or two levels below a folder, sorted by name at each level."""
    level = [path]
    found: list[Path] = []
    for _ in range(3):
        runs = [folder for folder in level if any((folder / f).is_file() for f in ("run.json", "result.json"))]
        found += runs
        level = sorted(sub for folder in level if folder not in runs for sub in folder.iterdir() if sub.is_dir())
    return found


def read_result(folder: Path) -> RunResult:
    """Read a finished run folder; `UserError` naming the file that is broken."""
    path = folder / "result.json"
    values = _read_json(path)
    settings = ""
    run = folder / "run.json"
    if run.is_file():
        config = _read_json(run).get("config")
        if not isinstance(config, dict):
            raise UserError(f"{run}: holds no config; remove or repeat that run")
        settings = _settings_hash(config)
    return _result({**values, "settings": settings}, str(path))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error}); remove or repeat that run") from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: holds no JSON object; remove or repeat that run")
    return values


def _settings_hash(config: Mapping[str, Any]) -> str:
    told = set(COLUMNS) - {"settings"}  # in a config that name is the method's own settings
    kept = {key: value for key, value in config.items() if key not in told}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:6]


def _result(values: Mapping[str, Any], where: str) -> RunResult:
    """Check and convert the values of one result."""
    converted: dict[str, Any] = {}
    for column in COLUMNS:
        value = values.get(column)
        if value is None:
            raise UserError(f"{where}: has no {column!r}; it was not written by a finished run")
        try:
            converted[column] = _TYPES[column](value)
        except (TypeError, ValueError) as error:
            raise UserError(f"{where}: {column} is {value!r}, not a {_TYPES[column].__name__}") from error
        if column.startswith("accuracy") and not 0.0 <= converted[column] <= 100.0:
            raise UserError(f"{where}: {column} is {value!r}, not a percentage in 0..100")
        if isinstance(converted[column], float) and not math.isfinite(converted[column]):
            raise UserError(f"{where}: {column} is {value!r}, not a finite number")
    return RunResult(**converted)


def read_csv(path: Path) -> list[RunResult]:
    """Read a ``runs.csv``; `UserError` naming the line that is broken."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            _check_header(path, reader.fieldnames)
            return [_result(row, f"{path}, line {reader.line_num}") for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: cannot be read as CSV ({error})") from error


def _check_header(path: Path, header: Sequence[str] | None) -> None:
    if tuple(header or ()) != COLUMNS:
        raise UserError(f"{path}: is not a table of runs; its first line must be {','.join(COLUMNS)}")


def export(results: Iterable[RunResult], path: Path) -> int:
    """Add runs to a ``runs.csv``: rows that are there stay as they are, and no config hash is written twice.

    The file is replaced in one step, so that a reader sees the old one or the new one.

    Parameters
    ----------
    results
        Finished runs.
    path
        The file; it is made, with its folder, where it does not exist.

    Returns
    -------
    int
        How many rows were added.

    Raises
    ------
    UserError
        Where the file is there and is not a table of runs.
    """
    present = {row.config_hash for row in read_csv(path)} if path.exists() else set()
    added = {result.config_hash: result for result in results if result.config_hash not in present}
    if path.exists() and not added:
        return 0
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if path.exists():
        kept = path.read_text(encoding="utf-8")
        text.write(kept if kept.endswith("\n") else kept + "\n")
    else:
        writer.writeheader()
    writer.writerows({column: getattr(result, column) for column in COLUMNS} for result in added.values())
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text.getvalue(), encoding="utf-8")
    temporary.replace(path)
    return len(added)


def format_runs(results: Sequence[RunResult]) -> str:
    """Write one line per run: what was run, and its three accuracies; in percent."""
    header = ("source", "target", "method", "preset", "protocol", "seed", "steps", "last", "pick", "oracle", "config")
    lines = [header] + [
        (
            *(run.source, run.target, run.method, run.preset, run.protocol, str(run.seed), f"{run.steps:,}"),
            *(f"{value:.2f}" for value in (run.accuracy_last, run.accuracy_validator, run.accuracy_oracle)),
            run.config_hash,
        )
        for run in results
    ]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )

"""Run folders: what a finished one found, and why another one has found nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uda.errors import UserError
from uda.evaluation.result import COLUMNS, LATER_COLUMNS, RunResult, to_result
from uda.methods import METHODS
from uda.training.config import named_by, whole
from uda.training.resolve import flatten
from uda.training.starts import read_starts

_TOLD = set(COLUMNS) - {"settings", *LATER_COLUMNS}  # "settings" is, in a config, the method's own


@dataclass(frozen=True)
class MissingRun:
    """A run that was begun and has no result to show.

    Attributes
    ----------
    folder
        Where it is.
    method, preset, source, target, protocol, seed, steps, validator, precision, settings
        What was to be run, as in `RunResult`.
    config_hash
        What names it; empty where its folder does not say.
    unfinished
        Whether it just has not come to its end.
    reason
        In words, e.g. ``"unfinished at step 400 of 2,000"``.
    """

    folder: Path
    method: str
    preset: str
    source: str
    target: str
    protocol: str
    seed: int
    steps: int
    validator: str
    precision: str
    settings: str
    config_hash: str
    unfinished: bool
    reason: str

    @property
    def pair(self) -> tuple[str, str]:
        """(source, target)."""
        return self.source, self.target


#: Where trials of ``uda choose`` lie, in the folder of the runs: what is made of that is not made of them.
CHOICES = "choices"


def run_folders(path: Path) -> list[Path]:
    """Return the run folders at, one or two levels below a folder, sorted by name at each level.

    Those in a folder `CHOICES` are left out, unless that is the one that is asked for.
    """
    level = [path]
    found: list[Path] = []
    for _ in range(3):
        runs = [folder for folder in level if any((folder / f).is_file() for f in ("run.json", "result.json"))]
        found += runs
        inside = set(runs)
        below = (sub for folder in level if folder not in inside for sub in folder.iterdir())
        level = sorted(sub for sub in below if sub.is_dir() and sub.name != CHOICES)
    return found


def read_result(folder: Path) -> RunResult:
    """Read a finished run folder; `UserError` naming the file that is broken."""
    path = folder / "result.json"
    values = _read_json(path)
    told = {"settings": "", "data": ""}
    if (folder / "run.json").is_file():
        about = _read_about(folder)
        told = {"settings": _settings_hash(about["config"]), "data": _data_hash(about)}
    try:
        return to_result({**values, **told})
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error


def read_settings(folder: Path) -> dict[str, Any]:
    """Return the settings of a run folder that a result has no column for, flat, as ``--set`` knows them.

    Empty for a folder that does not say what was run.
    """
    try:
        config = whole(_read_config(folder)[0])
    except UserError:
        return {}
    kept = flatten({key: value for key, value in config.items() if key not in {*_TOLD, "settings"}})
    return {**kept, **config.get("settings", {})}


def read_trained_on(folder: Path) -> tuple[str, ...]:
    """Name the validators whose score is in a run's loss; none where its folder does not say."""
    with suppress(KeyError, TypeError, UserError):  # of another version: its method, or a setting of it, is gone
        config = whole(_read_config(folder)[0])
        method = METHODS[config["method"]]
        return method.trains_on(method.Config(**config["settings"]))
    return ()


def read_missing(folder: Path, broken: str = "") -> MissingRun:
    """Read what was to be run in a folder without a result, and what became of it.

    Parameters
    ----------
    folder
        Has a ``run.json``.
    broken
        What is wrong with its ``result.json``, where it has one.

    Raises
    ------
    UserError
        Where its ``run.json`` does not say what was to be run.
    """
    config, config_hash = _read_config(folder)
    steps = _whole(config.get("steps"))
    error = _error(folder)
    reason = f"failed: {error}" if error else _how_far(folder, config)
    return MissingRun(
        folder,
        **{name: str(config.get(name, "")) for name in ("method", "preset", "source", "target", "protocol")},
        seed=_whole(config.get("seed")),
        steps=steps,
        **{name: str(config.get(name, "")) for name in ("validator", "precision")},
        settings=_settings_hash(config),
        config_hash=config_hash,
        unfinished=not (broken or error),
        reason=broken or reason,
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: cannot be read as JSON ({error}); move that run's folder away and train again"
        ) from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: holds no JSON object; move that run's folder away and train again")
    return values


def _read_about(folder: Path) -> dict[str, Any]:
    """Return ``run.json``, which has a config."""
    values = _read_json(folder / "run.json")
    config = values.get("config")
    if not isinstance(config, dict) or not config.get("method") or not _has_tables(config):
        raise UserError(f"{folder / 'run.json'}: holds no config; move that run's folder away and train again")
    return values


def _read_config(folder: Path) -> tuple[dict[str, Any], str]:
    """Return the config in ``run.json``, and its hash."""
    about = _read_about(folder)
    return about["config"], str(about.get("config_hash", ""))


def _has_tables(config: Mapping[str, Any]) -> bool:
    """Tell whether what should be a table in a config is one."""
    return all(isinstance(config.get(name, {}), dict) for name in ("settings", "augmentation"))


def _data_hash(about: Mapping[str, Any]) -> str:
    """Hash the checksums of the files that a run has read; nothing where its ``run.json`` does not say."""
    files = about.get("files")
    known = files if isinstance(files, list) else []
    checksums = [str(file.get("checksum")) for file in known if isinstance(file, dict)]
    return hashlib.sha256("\n".join(sorted(checksums)).encode()).hexdigest()[:12] if checksums else ""


def _settings_hash(config: Mapping[str, Any]) -> str:
    kept = {key: value for key, value in named_by(config).items() if key not in _TOLD}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:6]


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _error(folder: Path) -> str:
    """Return the error that ended a run: of a trace, the line below its last frame; empty where there is none."""
    path = folder / "error.txt"
    if not path.is_file():
        return ""
    lines = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    frames = [number for number, line in enumerate(lines) if line.startswith(" ")]
    below = lines[frames[-1] + 1 :] if frames else lines
    first = (below or lines or ["without saying why"])[0].strip()
    return first if len(first) <= 160 else first[:159] + "…"


def _how_far(folder: Path, config: Mapping[str, Any]) -> str:
    """Say where a run was left; where it still tries its starts, how far the last of them is that was evaluated."""
    starts = _whole(config.get("starts"))
    if starts < 2 or read_starts(folder) is not None:
        return f"unfinished at step {_last_step(folder):,} of {_whole(config.get('steps')):,}"
    steps = [_last_step(folder / f"start-{number}") for number in range(starts)]
    last = max((number for number, step in enumerate(steps) if step), default=0)
    end = _whole(config.get("start_steps"))
    return f"unfinished in start {last + 1} of {starts} at step {steps[last]:,} of {end:,}"


def _last_step(folder: Path) -> int:
    """Return the step of the last evaluation that was written down whole."""
    path = folder / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    for line in reversed(lines):
        try:
            return int(json.loads(line)["step"])
        except (ValueError, KeyError, TypeError):
            continue
    return 0

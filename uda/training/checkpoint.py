"""Checkpoints: one file that holds all that a resume and ``uda eval`` need, and can be loaded without trust."""

from __future__ import annotations

import math
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from uda.errors import UserError, unknown
from uda.methods import METHODS, Method, TaskShape, only_at_end
from uda.training.config import RunConfig, settings_of

FORMAT = "uda-checkpoint"
VERSION = 1
_KEYS = ("version", "config", "class_names", "shapes", "step", "seconds", "model", "optimisers", "pick")


@dataclass
class Pick:
    """The evaluation that a validator likes best so far: its step and score, and the weights at it."""

    step: int
    score: float
    model: dict[str, Tensor]


@dataclass(frozen=True)
class LoadedCheckpoint:
    """What a checkpoint says beside its tensors."""

    config: RunConfig
    class_names: tuple[str, ...]
    step: int


def checkpoint_values(
    config: RunConfig, method: Method, class_names: tuple[str, ...], step: int, seconds: float, pick: Pick | None
) -> dict[str, Any]:
    """Return all that a checkpoint holds after ``step`` updates that took ``seconds``, copied onto the CPU.

    There is no random state in it: what an update draws follows from the seed and the step.
    """
    values = {
        "format": FORMAT,
        "version": VERSION,
        "config": config.to_dict(),
        "class_names": list(class_names),
        "shapes": [list(method.task.source_shape), list(method.task.target_shape)],
        "step": step,
        "seconds": seconds,
        "model": method.state_dict(),
        "optimisers": {name: o.state_dict() for name, o in method.optimisers.items()},
    }
    chosen = None if pick is None else {"step": pick.step, "score": pick.score, "model": pick.model}
    return {**on_cpu(values), "pick": chosen}


def on_cpu(values: Any) -> Any:
    """Copy nested dicts, lists and tuples, with every tensor in them copied onto the CPU."""
    if isinstance(values, Tensor):
        return values.detach().to("cpu", copy=True)
    if isinstance(values, dict):
        return {key: on_cpu(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return type(values)(on_cpu(value) for value in values)
    return values


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, running none of its code.

    Raises
    ------
    UserError
        If the file is missing, truncated, not ours, of another version, or holds anything but plain values and tensors.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such checkpoint; give the checkpoint.pt of a run folder")
    damaged = f"{path}: truncated or not a checkpoint; give another run's, or move its folder away and train again"
    if not zipfile.is_zipfile(path):
        raise UserError(damaged)
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path}: refused, because it holds more than tensors and plain values and loading it could run code; "
            "use a checkpoint.pt written by `uda train`"
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, IndexError, OSError) as error:
        raise UserError(damaged) from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise UserError(f"{path}: not a checkpoint of uda; use a checkpoint.pt written by `uda train`")
    if lacking := [key for key in _KEYS if key not in values]:
        raise UserError(_of_another_version(path, f"it has no {lacking[0]}"))
    if values["version"] > VERSION:
        raise UserError(f"{path}: written by a newer uda (format {values['version']}); upgrade this one")
    return values


def checkpoint_config(path: Path, checkpoint: dict[str, Any]) -> RunConfig:
    """Return the config in what was read of a checkpoint; `UserError` where this version cannot build its method."""
    try:
        config = RunConfig.from_dict(checkpoint["config"])
        settings_of(config)
    except (UserError, TypeError) as error:
        raise UserError(_of_another_version(path, str(error))) from error
    return config


def stored_pick(checkpoint: dict[str, Any], config: RunConfig) -> Pick | None:
    """Return the pick in what was read of a checkpoint; None where there is none yet.

    Of a method that its last step makes, older versions picked what is not the method yet: such a pick is not read.
    """
    pick = None if checkpoint["pick"] is None else Pick(**checkpoint["pick"])
    if pick is None or not only_at_end(config.method) or pick.step == config.steps:
        return pick
    return Pick(config.steps, math.nan, checkpoint["model"]) if checkpoint["step"] == config.steps else None


def build_method(config: RunConfig, task: TaskShape) -> Method:
    """Build the method of a run, with fresh weights, from the global random state."""
    settings = settings_of(config)
    return METHODS[config.method](settings, task)


def _of_another_version(path: Path, why: str) -> str:
    return f"{path}: written by another version of uda ({why}); train again with this one"


def load_weights(method: Method, weights: dict[str, Tensor], path: Path) -> None:
    """Load a checkpoint's weights into a method; `UserError` naming the checkpoint where they do not fit."""
    try:
        method.load_state_dict(weights)
    except RuntimeError as error:
        raise misfit(path) from error


def misfit(path: Path) -> UserError:
    """Build the error for a checkpoint whose tensors are not those of the networks that its config gives now."""
    return UserError(f"{path}: its weights do not fit the networks of this uda; train again with this one")


def task_shape(checkpoint: dict[str, Any], config: RunConfig) -> TaskShape:
    """Rebuild what a checkpoint's method was built for."""
    source, target = (tuple(shape) for shape in checkpoint["shapes"])
    return TaskShape(source, target, len(checkpoint["class_names"]), config.steps)


def load_model(path: Path, weights: str = "last") -> tuple[Method, LoadedCheckpoint]:
    """Load a trained method, in eval mode, on the CPU.

    Parameters
    ----------
    path
        A ``checkpoint.pt``.
    weights
        ``"last"`` for the last step's, ``"pick"`` for those that the run's validator picked.

    Raises
    ------
    UserError
        As `read_checkpoint`; also for other ``weights``, or for a pick that does not exist yet.
    """
    if weights not in ("last", "pick"):
        raise unknown("weights", weights, ("last", "pick"))
    values = read_checkpoint(path)
    config = checkpoint_config(path, values)
    step, model = values["step"], values["model"]
    if weights == "pick":
        pick = stored_pick(values, config)
        if pick is None:
            raise UserError(f"{path}: has no validator's pick yet; use --weights last")
        step, model = pick.step, pick.model
    method = build_method(config, task_shape(values, config))
    load_weights(method, model, path)
    method.eval()
    return method, LoadedCheckpoint(config, tuple(values["class_names"]), step)

"""Results of imaginary runs, and a real one that takes a second."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from uda.evaluation.runs import COLUMNS, RunResult
from uda.training.resolve import resolve
from uda.training.run import train

CLASSES = ("circle", "cross", "square")


def result(**values: Any) -> RunResult:
    """A finished run: everything not given is the same in all, the hash depends on everything."""
    fixed: dict[str, Any] = {
        "method": "unit",
        "preset": "default",
        "source": "mnist",
        "target": "usps",
        "protocol": "standard",
        "seed": 1,
        "steps": 2000,
        "accuracy_last": 90.0,
        "accuracy_validator": 89.0,
        "accuracy_oracle": 91.0,
        "validator": "entropy",
        "validator_step": 1500,
        "oracle_step": 500,
        "n_test": 2007,
        "device": "cpu",
        "precision": "fp32",
        "seconds": 12.5,
        "steps_per_second": 160.0,
        "code_version": "v1",
        "notes": "",
    }
    fixed |= values
    name = hashlib.sha256(str(sorted(fixed.items())).encode()).hexdigest()[:12]
    return RunResult(**{"config_hash": name, **fixed})


_CONFIG = ("method", "preset", "source", "target", "protocol", "seed", "steps", "validator", "precision")


def write_run(folder: Path, run: RunResult, settings: dict[str, Any] | None = None, finished: bool = True) -> Path:
    """Write what of a run folder the evaluation layer reads."""
    folder.mkdir(parents=True)
    config = {name: getattr(run, name) for name in _CONFIG} | {"batch_size": 64, "settings": settings or {}}
    about = {"config": config, "config_hash": run.config_hash}
    (folder / "run.json").write_text(json.dumps(about), encoding="utf-8")
    if finished:
        values = {name: getattr(run, name) for name in COLUMNS}
        (folder / "result.json").write_text(json.dumps(values), encoding="utf-8")
    return folder


def write_shapes(path: Path, colour: bool, seed: int) -> str:
    """Write a domain of noise with a class-dependent brightness, and return its name."""
    rng = np.random.default_rng(seed)
    arrays: dict[str, Any] = {"class_names": np.array(CLASSES)}
    for split, count in (("train", 48), ("test", 30)):
        labels = np.arange(count) % len(CLASSES)
        shape = (count, 16, 16, 3) if colour else (count, 16, 16)
        bright = (60 * labels).reshape(-1, *[1] * (len(shape) - 1))
        arrays[f"{split}_images"] = (rng.integers(0, 100, shape) + bright).astype(np.uint8)
        arrays[f"{split}_labels"] = labels
    np.savez(path, **arrays)
    return f"npz:{path}"


def tiny_run(folder: Path, method: str, seed: int = 1, **settings: Any) -> Path:
    """Train four steps on two domains of 16x16 images; return the run folder."""
    folder.mkdir(parents=True, exist_ok=True)
    source = write_shapes(folder / "grey.npz", colour=False, seed=1)
    target = write_shapes(folder / "colour.npz", colour=True, seed=2)
    return train_tiny(folder, method, (source, target), seed, **settings)


def namesakes(folder: Path) -> tuple[str, str]:
    """Write two domains whose files have one name, in two folders; return their names."""
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
    one, two = (folder / name / "photos.npz" for name in ("one", "two"))
    return write_shapes(one, colour=False, seed=1), write_shapes(two, colour=False, seed=2)


def train_tiny(folder: Path, method: str, pair: tuple[str, str], seed: int = 1, **settings: Any) -> Path:
    """Train four steps on a pair of domains; return the run folder."""
    overrides = {"steps": 4, "evaluate_every": 2, "batch_size": 8, "width": 4, **settings}
    config = resolve(method, *pair, protocol="standard", seed=seed, overrides=overrides, device="cpu")
    return train(config, folder / "data", folder / "runs", device="cpu", quiet=True)

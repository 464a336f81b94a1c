"""Files that are whole or not there: written beside their place, then moved into it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor


def write_text(path: Path, text: str) -> None:
    """Write a text atomically, its line ends as they are."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text, encoding="utf-8", newline="")
    scratch.replace(path)


def write_json(path: Path, values: Any) -> None:
    """Write JSON atomically."""
    write_text(path, json.dumps(values, indent=2) + "\n")


def write_arrays(path: Path, arrays: dict[str, Tensor]) -> None:
    """Write tensors by name as a compressed ``.npz``, atomically."""
    scratch = path.with_name(f".{os.getpid()}.{path.name}")  # numpy adds the ending where it is missing
    columns: dict[str, Any] = {name: tensor.numpy() for name, tensor in arrays.items()}
    np.savez_compressed(scratch, **columns)
    scratch.replace(path)

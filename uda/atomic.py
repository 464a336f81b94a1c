"""Files that are whole or not there: written beside their place, then moved into it."""

from __future__ import annotations

import io
import json
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write a file, complete or not at all; `OSError` where that cannot be done."""
    scratch = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        scratch.write_bytes(content)
        scratch.replace(path)
    except BaseException as error:
        with suppress(OSError):  # of the first error is told, not of what it leads to here
            scratch.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # of a full disk it names none, of others the scratch file
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, its line ends as they are."""
    write_bytes(path, text.encode())


def write_json(path: Path, values: Any) -> None:
    """Write JSON."""
    write_text(path, json.dumps(values, indent=2) + "\n")


def write_arrays(path: Path, arrays: dict[str, Tensor]) -> None:
    """Write tensors by name as a compressed ``.npz``."""
    columns: dict[str, Any] = {name: tensor.numpy() for name, tensor in arrays.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **columns)
    write_bytes(path, buffer.getbuffer())


def write_tensors(path: Path, content: Any) -> None:
    """Write with `torch.save`."""
    buffer = io.BytesIO()
    torch.save(content, buffer)  # to memory first: of a full disk it says a RuntimeError, and not which file
    write_bytes(path, buffer.getbuffer())

"""Checkpoints to keep and to hand on: the weights of the last step in half precision, and nothing to train on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from uda.atomic import write_tensors
from uda.training.checkpoint import read_checkpoint


def slim(path: Path, output: Path) -> int:
    """Write a checkpoint that can be evaluated and translated with, of about an eighth of the size, and not resumed.

    Weights are rounded to float16 and are float32 again where they are loaded.

    Parameters
    ----------
    path
        A ``checkpoint.pt``.
    output
        The file to write.

    Returns
    -------
    int
        Its size in bytes.

    Raises
    ------
    UserError
        As `uda.training.checkpoint.read_checkpoint`.
    """
    values = read_checkpoint(path)
    small = {key: halved(tensor) for key, tensor in values["model"].items()}
    output.parent.mkdir(parents=True, exist_ok=True)
    write_tensors(output, {**values, "model": small, "optimisers": None, "pick": None})
    return output.stat().st_size


def halved(tensor: Any) -> Any:
    """Round what is float32 to float16."""
    return tensor.half() if isinstance(tensor, Tensor) and tensor.dtype == torch.float32 else tensor

"""How much memory a training step needs beside what is there before it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import torch

STATUS, REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def step_memory(step: Callable[[], object], device: torch.device) -> int:
    """Return the bytes that are in use at the most during a step, less those before it; 0 where nobody counts them.

    On CUDA these are the bytes reserved: those of a captured step's tensors are so for good, and count as free. Else it
    is the resident memory of this process, which Linux alone tells.
    """
    if device.type == "cuda":
        torch.cuda.empty_cache()
        held = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        step()
        return int(torch.cuda.max_memory_reserved(device)) - held
    if not REFERENCES.exists():
        return 0
    _return_what_is_free()
    held = _kilobytes("VmRSS")
    REFERENCES.write_text("5")  # sets the largest resident size, VmHWM, back to the present one
    step()
    return 1024 * (_kilobytes("VmHWM") - held)


def _return_what_is_free() -> None:
    """Give freed memory back to the system: it would count as held, and its use by the step as nothing."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
    if trim is not None:
        trim(0)


def _kilobytes(key: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1])

"""What the processor of this machine is called, and can do."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path


def processor_flags() -> set[str]:
    """Return the instruction sets of the processor by the kernel's names; empty where the system does not tell."""
    return set(_line("flags").split())


def processor_name() -> str:
    """Return what the processor is called."""
    return _line("model name") or platform.processor() or platform.machine()


@cache
def has_amx() -> bool:
    """Tell whether the processor multiplies matrices of bf16 by AMX."""
    return "amx_bf16" in processor_flags()


def _line(key: str) -> str:
    """Return the first value of a key of Linux's /proc/cpuinfo, or nothing."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")

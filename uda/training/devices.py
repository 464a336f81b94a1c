"""Where a run is made, in which precision, and how both are recorded."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import cache

import torch

from uda.errors import UserError, unknown
from uda.processor import processor_flags, processor_name
from uda.training.memory import keep_freed_memory, use_large_pages


def resolve_device(name: str) -> torch.device:
    """Return the device of a name: ``"auto"`` (CUDA where there is one), ``"cpu"``, ``"cuda"``, ``"cuda:1"``.

    Raises
    ------
    UserError
        If the name is no device, or is asked for and not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdecimal()):
        raise unknown("device", name, ("auto", "cpu", "cuda"))
    if kind == "cuda" and not torch.cuda.is_available():
        raise UserError(f"device {name!r} was asked for, but torch sees no CUDA device here: use --device cpu")
    there = torch.cuda.device_count() if kind == "cuda" else 1
    if int(index or 0) >= there:
        raise UserError(
            f"device {name!r} was asked for, but the last one here is {kind}:{there - 1}: use that, or auto"
        )
    return torch.device(kind, int(index)) if index else torch.device(kind)


def resolve_precision(device: str, name: str) -> str:
    """Return ``"fp32"`` or ``"bf16"``; ``"auto"`` is bf16 where the device convolves faster in it, else fp32."""
    if name not in ("auto", "fp32", "bf16"):
        raise unknown("precision", name, ("auto", "fp32", "bf16"))
    if name != "auto":
        return name
    on_cuda = resolve_device(device).type == "cuda"
    able = torch.cuda.is_bf16_supported(including_emulation=False) if on_cuda else _processor_gains_by_bf16()
    return "bf16" if able else "fp32"


def _processor_gains_by_bf16() -> bool:
    """Tell whether the processor convolves faster in bf16.

    With AMX it does. With AVX512-bf16 alone some do (AMD's, twice as fast), some take twice as long (Intel's with AMX
    switched off): there it is measured.
    """
    flags = processor_flags()
    return "amx_bf16" in flags or ("avx512_bf16" in flags and bf16_speed_up() > 1.0)


def caution(device: str, precisions: Iterable[str]) -> str:
    """Return a sentence of warning where fp32 would be faster than one of the precisions of some runs; else nothing."""
    if "bf16" not in precisions or resolve_device(device).type == "cuda" or (gain := bf16_speed_up()) > 0.8:
        return ""
    return (
        f"precision is bf16, in which this processor convolves {1 / gain:.1f} times as slowly as in fp32: "
        "precision fp32 is faster here, and makes a run of its own, with a number of its own"
    )


@cache
def bf16_speed_up() -> float:
    """Return how many times faster one convolution is in bf16 than in fp32 on this processor, in turns of 10 ms."""
    images, weights = torch.ones(64, 32, 16, 16), torch.ones(32, 32, 5, 5)
    seconds: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    for _ in range(6):
        for dtype, taken in seconds.items():
            x, w = (t.to(dtype=dtype, memory_format=torch.channels_last) for t in (images, weights))
            start = time.perf_counter()
            torch.nn.functional.conv2d(x, w, padding=2)
            taken.append(time.perf_counter() - start)
    return min(seconds[torch.float32]) / min(seconds[torch.bfloat16])


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Return the context in which updates are made; losses and statistics stay in fp32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def prepare_device(device: torch.device) -> None:
    """Set what makes every run on a device faster and none different in kind: TF32, kept memory, large pages."""
    keep_freed_memory()
    if device.type == "cpu":
        use_large_pages()
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")


def pin_threads(threads: int) -> None:
    """Fix the threads of this process and of those that it starts; nothing chooses them afterwards."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    torch.set_num_threads(threads)


def device_name(device: torch.device) -> str:
    """Return what a table calls the device: the name of the GPU, or "cpu"."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def describe_device(device: torch.device) -> dict[str, str | int]:
    """Return what ``run.json`` records of the device."""
    processor = processor_name() if device.type == "cpu" else torch.cuda.get_device_name(device)
    return {"type": device.type, "name": processor, "threads": torch.get_num_threads()}

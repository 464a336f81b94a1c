"""How much of a training step is matrix work, and how much of it all the rest."""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
from timing import wait
from torch.profiler import ProfilerActivity, profile

#: Convolutions, transposed or not, linear layers and matrix products, forward and backward: torch's operators, …
OPERATORS = re.compile(r"aten::(\w*conv\w*|\w*linear\w*|\w*matmul\w*|(\w+_)?(b|add|badd|addb)?mm(_\w+)?|(add)?mv)")
#: … and the kernels of CUDA's libraries for them.
KERNELS = re.compile(r"gemm|gemv|conv|fprop|dgrad|wgrad|xmma|nvjet|cutlass|winograd|implicit", re.IGNORECASE)


def matrix_share(step: Callable[[], object], steps: int = 3) -> float:
    """Return the share of a step's time that convolutions, linear layers and matrix products take, 0 to 1.

    Time is that of the kernels of a step that runs on CUDA, else that of the operators on the processor, each without
    what it calls. On the processor small operators look larger than they are: the profiler's own time is in them.

    Parameters
    ----------
    step
        Makes one training step; it should have been warmed up.
    steps
        Steps to profile.
    """
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if torch.cuda.is_available() else [])]
    with profile(activities=activities) as profiler:
        for _ in range(steps):
            step()
        wait()
    events = profiler.key_averages()
    # beside its kernels, a CUDA profile lists the operators that launched them, and named stretches of the program
    kernels = [e for e in events if e.device_type.name == "CUDA" and not e.is_user_annotation]
    if kernels:
        times = [(e.self_device_time_total, KERNELS.search(e.key)) for e in kernels]
    else:
        times = [(e.self_cpu_time_total, OPERATORS.fullmatch(e.key)) for e in events]
    return float(sum(time for time, matrix in times if matrix) / sum(time for time, _ in times))

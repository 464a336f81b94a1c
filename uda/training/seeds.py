"""Several seeds of one run at once: side by side on a GPU, one to a core on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from uda.errors import UserError
from uda.training.config import RunConfig
from uda.training.devices import resolve_device
from uda.training.pool import KilledError, in_processes, runs_at_a_time
from uda.training.run import train, train_side_by_side


def train_seeds(
    configs: Sequence[RunConfig],
    root: Path,
    runs: Path,
    *,
    device: str = "auto",
    threads: int | None = None,
    command: str = "",
    quiet: bool = False,
) -> list[Path]:
    """Make runs that differ in their seed alone, as many at a time as the device is good for.

    On a CUDA device all of them share one process, and their updates overlap (`train_side_by_side`). On a CPU each has
    a process of its own, with one thread, or with ``threads``.

    Parameters and errors are those of `uda.training.run.train`; the runs that are not hit by an error are finished.

    Returns
    -------
    list
        The run folders, in the order of the configs.
    """
    if resolve_device(device).type == "cuda" or len(configs) == 1:
        return train_side_by_side(configs, root, runs, device=device, command=command, quiet=quiet)
    one = partial(train, root=root, runs=runs, device=device, command=command, quiet=True)
    jobs = min(len(configs), runs_at_a_time(device, threads))
    made = {config.hash: run for config, run in in_processes(one, configs, jobs, threads)}
    for config in configs:
        try:
            made[config.hash].result()
        except KilledError as error:
            raise UserError(f"{runs / config.name}: {error}") from error
    return [runs / config.name for config in configs]

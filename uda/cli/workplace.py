"""Where a command that makes runs makes them: what its options and its terminal say."""

from __future__ import annotations

import sys
from pathlib import Path

from uda.cli.train import typed_command
from uda.sweeps.runner import Workplace
from uda.training.devices import pin_threads
from uda.training.pool import runs_at_a_time


def workplace(data_root: Path, runs: Path, device: str, threads: int | None, jobs: int | None) -> Workplace:
    """Return where runs are made, by the options of these names; threads that were asked for are pinned here too."""
    if threads:
        pin_threads(threads)
    jobs = jobs or runs_at_a_time(device, threads)
    return Workplace(data_root, runs, device, jobs, threads, typed_command(), quiet=not sys.stderr.isatty())

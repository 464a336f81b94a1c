"""Where a command that makes runs makes them: what its options and its terminal say."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from uda.sweeps.runner import Workplace
from uda.training.config import RunConfig
from uda.training.devices import caution, pin_threads
from uda.training.pool import runs_at_a_time
from uda.training.record import is_finished


def workplace(data_root: Path, runs: Path, device: str, threads: int | None, jobs: int | None = None) -> Workplace:
    """Return where runs are made, by the options of these names; threads that were asked for are pinned here too."""
    if threads:
        pin_threads(threads)
    jobs = jobs or runs_at_a_time(device, threads)
    return Workplace(data_root, runs, device, jobs, threads, typed_command(), quiet=not sys.stderr.isatty())


def typed_command() -> str:
    """Return what was typed, for the record of a run."""
    return shlex.join(["uda", *sys.argv[1:]])


def warn_of_precision(configs: Sequence[RunConfig], place: Workplace) -> None:
    """Say on stderr where runs that are still to be made would be faster in another precision."""
    if warning := caution(place.device, (c.precision for c in configs if not is_finished(place.runs, c))):
        click.echo(warning, err=True)

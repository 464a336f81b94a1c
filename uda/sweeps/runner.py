"""Runs many configs in turn: what is finished is left, what was interrupted goes on, and a failure stops none."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from uda.errors import UserError
from uda.evaluation.runs import RunResult, export, read_result
from uda.training.claim import claim
from uda.training.config import RunConfig
from uda.training.run import train

Say = Callable[[str], None]


@dataclass(frozen=True)
class Sweep:
    """What came of a sweep.

    Attributes
    ----------
    results
        Of every run that is finished, now or before, in the order of the configs.
    trained
        Hashes of those that were finished now.
    busy
        Runs that another process holds.
    failures
        (run, reason), for those that failed.
    """

    results: tuple[RunResult, ...]
    trained: frozenset[str]
    busy: tuple[RunConfig, ...]
    failures: tuple[tuple[RunConfig, str], ...]


def sweep(
    configs: Sequence[RunConfig],
    root: Path,
    runs: Path,
    table: Path,
    say: Say,
    *,
    device: str = "auto",
    command: str = "",
    quiet: bool = True,
) -> Sweep:
    """Make every run that is not finished, and add each to a ``runs.csv`` as soon as it is.

    Several processes may share the work: each leaves alone what another one is at.

    Parameters
    ----------
    configs
        What to run, in this order.
    root, runs
        The data root, and the folder of run folders.
    table
        The ``runs.csv``; rows that it has are kept as they are.
    say
        Is given a line of progress.
    device, command, quiet
        As for `uda.training.run.train`.
    """
    results: list[RunResult] = []
    trained: set[str] = set()
    busy: list[RunConfig] = []
    failures: list[tuple[RunConfig, str]] = []
    for number, config in enumerate(configs, start=1):
        name = f"[{number}/{len(configs)}] {title(config)}"
        folder = runs / config.name
        try:
            with claim(folder) as ours:
                finished = (folder / "result.json").exists()
                if not ours and not finished:
                    say(f"{name}: another process is at it")
                    busy.append(config)
                    continue
                if not finished:
                    say(f"{name}: {config.steps:,} steps")
                    train(config, root, runs, device=device, command=command, quiet=quiet)
                    trained.add(config.hash)
            result = read_result(folder)
        except Exception as error:  # whatever it is, the other runs are still worth making
            failures.append((config, _reason(error, folder)))
            say(f"{name}: failed: {failures[-1][1]}")
            continue
        with claim(runs, wait=True):  # two processes must not add to the table at once
            export([result], table)
        results.append(result)
        say(f"{name}: {result.accuracy_last:.2f} % " + ("before" if finished else f"in {result.seconds:.0f} s"))
    return Sweep(tuple(results), frozenset(trained), tuple(busy), tuple(failures))


def title(config: RunConfig) -> str:
    """Return what a person calls a run within its recipe."""
    preset = "" if config.preset == "default" else f" ({config.preset})"
    return f"{config.method}{preset} seed {config.seed}"


def _reason(error: Exception, folder: Path) -> str:
    """Return one line; what is not the user's doing is kept whole in the run folder."""
    if isinstance(error, UserError):
        return str(error)
    report = folder / "error.txt"
    report.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first} (all of it in {report})"

"""Runs many configs in turn: what is finished is left, what was interrupted goes on, and a failure stops none."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from uda.errors import UserError
from uda.evaluation.runs import RunResult, export, read_result
from uda.training.claim import claim
from uda.training.config import RunConfig
from uda.training.devices import resolve_device
from uda.training.run import train_side_by_side

Say = Callable[[str], None]


@dataclass
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

    results: list[RunResult] = field(default_factory=list)
    trained: set[str] = field(default_factory=set)
    busy: list[RunConfig] = field(default_factory=list)
    failures: list[tuple[RunConfig, str]] = field(default_factory=list)


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
    swept = Sweep()
    names = {config.hash: f"[{number}/{len(configs)}] {title(config)}" for number, config in enumerate(configs, 1)}
    for group in together(configs, device):
        finished = [config for config in group if _finished(runs, config)]
        with ExitStack() as claims:
            held = [c for c in group if claims.enter_context(claim(runs / c.name)) or c in finished]
            to_do = [config for config in held if config not in finished]
            for config in to_do:
                say(f"{names[config.hash]}: {config.steps:,} steps")
            try:
                if to_do:
                    train_side_by_side(to_do, root, runs, device=device, command=command, quiet=quiet)
            except Exception as error:  # whatever it is, the other runs are still worth making
                swept.failures += [(c, _reason(error, runs / c.name)) for c in to_do if not _finished(runs, c)]
            swept.trained.update(config.hash for config in to_do if _finished(runs, config))
            for config in group:
                say(f"{names[config.hash]}: {_take_in(config, runs, table, swept, held=config in held)}")
    return swept


def _take_in(config: RunConfig, runs: Path, table: Path, swept: Sweep, held: bool) -> str:
    """Add what became of a run to the sweep, and its result to the table; return it in words."""
    if not held:
        swept.busy.append(config)
        return "another process is at it"
    if _finished(runs, config):
        try:
            result = read_result(runs / config.name)
            with claim(runs, wait=True):  # two processes must not add to the table at once
                export([result], table)
        except UserError as error:
            swept.failures.append((config, str(error)))
        else:
            swept.results.append(result)
            now = config.hash in swept.trained
            return f"{result.accuracy_last:.2f} % " + (f"in {result.seconds:.0f} s" if now else "before")
    return "failed: " + next(reason for failed, reason in swept.failures if failed is config)


def together(configs: Sequence[RunConfig], device: str) -> list[list[RunConfig]]:
    """Group runs that are made side by side: on a CUDA device those that differ in their seed alone; else none."""
    if resolve_device(device).type != "cuda":
        return [[config] for config in configs]
    groups: dict[str, list[RunConfig]] = {}
    for config in configs:
        groups.setdefault(replace(config, seed=0).hash, []).append(config)
    return list(groups.values())


def _finished(runs: Path, config: RunConfig) -> bool:
    return (runs / config.name / "result.json").exists()


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

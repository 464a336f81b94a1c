"""Runs many configs in turn: what is finished is left, what was interrupted goes on, and a failure stops none."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import as_completed
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from uda.errors import UserError
from uda.evaluation.runs import RunResult, export, read_result
from uda.training.claim import claim
from uda.training.config import RunConfig
from uda.training.devices import resolve_device
from uda.training.pool import training_pool
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


@dataclass(frozen=True)
class Outcome:
    """What came of runs that were made together: those finished now, those that another process holds, failures."""

    trained: tuple[RunConfig, ...] = ()
    busy: tuple[RunConfig, ...] = ()
    failures: tuple[tuple[RunConfig, str], ...] = ()


def sweep(
    configs: Sequence[RunConfig],
    root: Path,
    runs: Path,
    table: Path | None,
    say: Say,
    *,
    device: str = "auto",
    jobs: int = 1,
    threads: int | None = None,
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
        The ``runs.csv``; rows that it has are kept as they are. None for runs whose accuracies are not to be seen:
        none is said.
    say
        Is given a line of progress.
    jobs, threads
        Runs at a time, each in a process of its own where there are more than one, and the threads of each of those.
    device, command, quiet
        As for `uda.training.run.train`.
    """
    swept = Sweep()
    names = {config.hash: f"[{number}/{len(configs)}] {title(config)}" for number, config in enumerate(configs, 1)}
    make = partial(_make, root=root, runs=runs, device=device, command=command, quiet=quiet or jobs > 1)

    def announce(group: Sequence[RunConfig]) -> None:
        for config in group:
            if not _finished(runs, config):
                say(f"{names[config.hash]}: {config.steps:,} steps")

    groups = together(configs, device)
    unfinished = [group for group in groups if not all(_finished(runs, config) for config in group)]
    with closing(_outcomes(groups, make, announce, min(jobs, len(unfinished)), threads)) as outcomes:
        for group, outcome in outcomes:
            swept.failures += outcome.failures
            swept.trained.update(config.hash for config in outcome.trained)
            for config in group:
                say(f"{names[config.hash]}: {_take_in(config, runs, table, swept, held=config not in outcome.busy)}")
    place = {config.hash: number for number, config in enumerate(configs)}
    swept.results.sort(key=lambda result: place[result.config_hash])
    return swept


def _outcomes(
    groups: Sequence[list[RunConfig]],
    make: Callable[[list[RunConfig]], Outcome],
    announce: Callable[[Sequence[RunConfig]], None],
    jobs: int,
    threads: int | None,
) -> Generator[tuple[list[RunConfig], Outcome], None, None]:
    """Yield each group with what came of it: in turn here, or as they end in several processes."""
    if jobs <= 1:
        for group in groups:
            announce(group)
            yield group, make(group)
        return
    pool = training_pool(jobs, threads)
    try:
        pending = {pool.submit(make, group): group for group in groups}
        for done in as_completed(pending):
            yield pending[done], done.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _make(group: list[RunConfig], *, root: Path, runs: Path, device: str, command: str, quiet: bool) -> Outcome:
    """Make those of a group that are neither finished nor another process's."""
    finished = [config for config in group if _finished(runs, config)]
    with ExitStack() as claims:
        held = [c for c in group if claims.enter_context(claim(runs / c.name)) or c in finished]
        to_do = [config for config in held if config not in finished]
        failures: list[tuple[RunConfig, str]] = []
        for config in to_do:
            (runs / config.name / "error.txt").unlink(missing_ok=True)
        try:
            if to_do:
                train_side_by_side(to_do, root, runs, device=device, command=command, quiet=quiet)
        except Exception as error:  # whatever it is, the other runs are still worth making
            failures = [(c, _reason(error, runs / c.name)) for c in to_do if not _finished(runs, c)]
        trained = tuple(config for config in to_do if _finished(runs, config))
    return Outcome(trained, tuple(config for config in group if config not in held), tuple(failures))


def _take_in(config: RunConfig, runs: Path, table: Path | None, swept: Sweep, held: bool) -> str:
    """Add what became of a run to the sweep, and its result to the table; return it in words."""
    if not held:
        swept.busy.append(config)
        return "another process is at it"
    if _finished(runs, config):
        try:
            result = read_result(runs / config.name)
            if table is not None:
                with claim(runs, wait=True):  # two processes must not add to the table at once
                    export([result], table)
        except UserError as error:
            swept.failures.append((config, str(error)))
        else:
            swept.results.append(result)
            now = config.hash in swept.trained
            reached = "done" if table is None else f"{result.accuracy_last:.2f} %"
            return f"{reached} in {result.seconds:.0f} s" if now else f"{reached} before"
    return "failed: " + next(reason for failed, reason in swept.failures if failed == config)


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
    """Return one line, and leave in the run folder what a table says of it; whole, where it is not the user's doing."""
    report = folder / "error.txt"
    if isinstance(error, UserError):
        report.write_text(f"{error}\n", encoding="utf-8")
        return str(error)
    report.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first} (all of it in {report})"

"""Runs many configs in turn: what is finished is left, what was interrupted goes on, and a failure stops none."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from uda.errors import UserError, sentence_of
from uda.evaluation.history import read_history
from uda.evaluation.runs import RunResult, export, read_result
from uda.metrics.predicted import rare_classes
from uda.sweeps.outdated import DataNow
from uda.training.claim import claim
from uda.training.config import RunConfig
from uda.training.devices import resolve_device
from uda.training.pool import KilledError, in_processes
from uda.training.record import is_finished
from uda.training.run import NotFiniteRunsError, train_side_by_side
from uda.training.starts import read_starts

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
        Runs that another process holds, and has not finished when the others are.
    failures
        (run, reason), for those that failed, in that order too.
    """

    results: list[RunResult] = field(default_factory=list)
    trained: set[str] = field(default_factory=set)
    busy: list[RunConfig] = field(default_factory=list)
    failures: list[tuple[RunConfig, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Workplace:
    """Where and how runs are made.

    Attributes
    ----------
    root, runs
        The data root, and the folder of run folders.
    device, command, quiet
        As for `uda.training.run.train`; runs are quiet in any case where several are made at a time.
    jobs, threads
        Runs at a time, each in a process of its own where there are more than one, and the threads of each of those.
    """

    root: Path
    runs: Path
    device: str = "auto"
    jobs: int = 1
    threads: int | None = None
    command: str = ""
    quiet: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came of runs that were made together: those finished now, those that another process holds, failures."""

    trained: tuple[RunConfig, ...] = ()
    busy: tuple[RunConfig, ...] = ()
    failures: tuple[tuple[RunConfig, str], ...] = ()


def title(config: RunConfig) -> str:
    """Return what a person calls a run within its recipe."""
    preset = "" if config.preset == "default" else f" ({config.preset})"
    return f"{config.method}{preset} seed {config.seed}"


def sweep(
    configs: Sequence[RunConfig],
    place: Workplace,
    table: Path | None,
    say: Say,
    call: Callable[[RunConfig], str] = title,
) -> Sweep:
    """Make every run that is not finished, and add each that has an accuracy to a ``runs.csv`` as soon as it is.

    Several processes may share the work: each leaves alone what another one is at.

    Parameters
    ----------
    configs
        What to run, in this order.
    place
        Where, and how.
    table
        The ``runs.csv``; rows that it has are kept as they are. None for runs whose accuracies are not to be seen:
        none is said.
    say
        Is given a line of progress.
    call
        What a run is called in it.
    """
    swept, now = Sweep(), DataNow(place.root)
    names = {config.hash: f"[{number}/{len(configs)}] {call(config)}" for number, config in enumerate(configs, 1)}

    def announce(group: Sequence[RunConfig]) -> None:
        for config in group:
            if not is_finished(place.runs, config):
                starts = f", {config.starts} starts of {config.start_steps:,}" if config.starts > 1 else ""
                say(f"{names[config.hash]}: {config.steps:,} steps{starts}")

    with closing(_outcomes(together(configs, place.device), place, announce)) as outcomes:
        for group, outcome in outcomes:
            swept.failures += outcome.failures
            swept.trained.update(config.hash for config in outcome.trained)
            for config in group:
                came = _take_in(config, place.runs, table, swept, now, held=config not in outcome.busy)
                say(f"{names[config.hash]}: {came}")
    for config in [config for config in swept.busy if is_finished(place.runs, config)]:
        swept.busy.remove(config)
        say(f"{names[config.hash]}: {_take_in(config, place.runs, table, swept, now, held=True)}")
    order = {config.hash: number for number, config in enumerate(configs)}
    swept.results.sort(key=lambda result: order[result.config_hash])
    swept.failures.sort(key=lambda failure: order[failure[0].hash])
    return swept


def _outcomes(
    groups: Sequence[list[RunConfig]], place: Workplace, announce: Callable[[Sequence[RunConfig]], None]
) -> Generator[tuple[list[RunConfig], Outcome], None, None]:
    """Yield each group with what came of it: in turn here, or as they end in several processes."""
    unfinished = [group for group in groups if not all(is_finished(place.runs, config) for config in group)]
    jobs = min(place.jobs, len(unfinished))
    if jobs <= 1:
        for group in groups:
            announce(group)
            yield group, _make(group, place)
        return
    silent = partial(_make, place=replace(place, quiet=True))
    with closing(in_processes(silent, groups, jobs, place.threads)) as ended:
        for group, made in ended:
            try:
                outcome = made.result()
            except KilledError as error:
                outcome = Outcome(failures=_failures(group, error, place.runs))
            yield group, outcome


def _make(group: list[RunConfig], place: Workplace) -> Outcome:
    """Make those of a group that are neither finished nor another process's."""
    runs = place.runs
    finished = [config for config in group if is_finished(runs, config)]
    with ExitStack() as claims:
        held = [c for c in group if c in finished or claims.enter_context(claim(runs / c.name))]
        to_do = [config for config in held if config not in finished]
        failures: tuple[tuple[RunConfig, str], ...] = ()
        for config in to_do:
            (runs / config.name / "error.txt").unlink(missing_ok=True)
        try:
            if to_do:
                train_side_by_side(
                    to_do, place.root, runs, device=place.device, command=place.command, quiet=place.quiet
                )
        except Exception as error:  # whatever it is, the other runs are still worth making
            failures = _failures(to_do, error, runs)
        trained = tuple(config for config in to_do if is_finished(runs, config))
    return Outcome(trained, tuple(config for config in group if config not in held), failures)


def _failures(configs: Sequence[RunConfig], error: Exception, runs: Path) -> tuple[tuple[RunConfig, str], ...]:
    """Return those that an error kept from their end, each with what it was for that run, which its folder keeps."""
    own = {config.hash: broken for config, broken in error.broken} if isinstance(error, NotFiniteRunsError) else {}
    return tuple(
        (config, _reason(own.get(config.hash, error), runs / config.name))
        for config in configs
        if not is_finished(runs, config)
    )


def _take_in(config: RunConfig, runs: Path, table: Path | None, swept: Sweep, data: DataNow, held: bool) -> str:
    """Add what became of a run to the sweep, and its result to the table; return it in words."""
    if not held:
        swept.busy.append(config)
        return "another process is at it"
    if is_finished(runs, config):
        folder, now = runs / config.name, config.hash in swept.trained
        try:
            if not (folder / "run.json").is_file():
                raise UserError(f"{folder}: has no run.json, which says what was run; move it away and train again")
            result = read_result(folder)
            told = f" in {result.seconds:.0f} s{_kept(folder)}{_rare(folder)}" if now else _before(config, folder, data)
            if table is not None and result.scored:
                export([result], table)
        except UserError as error:
            swept.failures.append((config, str(error)))
        else:
            swept.results.append(result)
            return ("done" if table is None or not result.scored else f"{result.accuracy_last:.2f} %") + told
    return "failed: " + next(reason for failed, reason in swept.failures if failed == config)


def _before(config: RunConfig, folder: Path, data: DataNow) -> str:
    """Say that a run was finished before, and whether its data have changed since."""
    reason = data.outdated(config, folder)
    return f" before, {reason}" if reason else " before"


def _kept(folder: Path) -> str:
    """Say which start of a run was kept; nothing where it has but one."""
    starts = read_starts(folder)
    return f", start {starts.kept + 1} of {len(starts.tried)}" if starts else ""


def _rare(folder: Path) -> str:
    """Name the classes that a run hardly predicts in the end, for the end of a line; nothing where there are none."""
    rare = rare_classes(read_history(folder)[-1].predicted)
    return f"; hardly predicted for the target: {', '.join(rare)}" if rare else ""


def together(configs: Sequence[RunConfig], device: str) -> list[list[RunConfig]]:
    """Group runs that are made side by side: on a CUDA device those that differ in their seed alone; else none."""
    if resolve_device(device).type != "cuda":
        return [[config] for config in configs]
    groups: dict[str, list[RunConfig]] = {}
    for config in configs:
        groups.setdefault(replace(config, seed=0).hash, []).append(config)
    return list(groups.values())


def reasons(failures: Sequence[tuple[RunConfig, str]], call: Callable[[RunConfig], str] = title) -> str:
    """Say which runs failed and why, each reason once."""
    by_reason: dict[str, list[str]] = {}
    for config, reason in failures:
        by_reason.setdefault(reason, []).append(call(config))
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in by_reason.items())


def left_to_another(busy: int) -> str:
    """Say that some runs are another process's, and what to do."""
    return f"{busy} runs are left to another process; give the command again when it is done"


def rows_kept(table: Path, before: Mapping[str, RunResult], results: Sequence[RunResult]) -> str:
    """Say that a table keeps its rows of runs that have another result now, and what to do; empty where it need not."""
    count = sum(before.get(result.config_hash, result) != result for result in results)
    whose = "1 run that was" if count == 1 else f"{count} runs that were"
    return (
        f"{table} keeps its own rows of {whose} made again here, and so do the tables: remove those rows from it, and "
        "give the command again, to have the new ones"
        if count
        else ""
    )


def _reason(error: Exception, folder: Path) -> str:
    """Return one line, and leave in the folder of a run that was begun what a table says of it.

    What is not the user's doing is left there in any case, and whole.
    """
    report = folder / "error.txt"
    if sentence := sentence_of(error):
        if (folder / "run.json").exists():
            report.write_text(f"{sentence}\n", encoding="utf-8")
        return sentence
    folder.mkdir(parents=True, exist_ok=True)
    report.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first} (all of it in {report})"

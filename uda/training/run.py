"""From a config to its result: load, train, evaluate, save; resumed where it was left. One seed, or several at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from uda.atomic import write_json
from uda.data.protocols import TaskData, load_task, target_training_labels
from uda.errors import NotFiniteError, UserError
from uda.methods import METHODS
from uda.training.config import RunConfig
from uda.training.devices import describe_device, prepare_device, resolve_device
from uda.training.job import Job, evaluate, make_result, open_job
from uda.training.probe import own_threads
from uda.training.record import Record
from uda.training.saving import Saver
from uda.training.trial import Trial, keep_best, trials
from uda.training.versions import code_version, versions


class NotFiniteRunsError(NotFiniteError):
    """Some of several runs gave a number which is not finite.

    Parameters
    ----------
    broken
        Each of those runs, and what is said of it.
    """

    def __init__(self, broken: Sequence[tuple[RunConfig, NotFiniteError]]) -> None:
        super().__init__("; ".join(f"seed {config.seed}: {error}" for config, error in broken))
        self.broken = tuple(broken)


def train(
    config: RunConfig, root: Path, runs: Path, *, device: str = "auto", command: str = "", quiet: bool = False
) -> Path:
    """Make a run, or finish it where it was interrupted, or leave it where it is finished.

    Nothing keeps another process from the same run: `uda.sweeps.runner.sweep`, and the command line, claim its folder.

    Parameters
    ----------
    config
        What to run.
    root
        The data root.
    runs
        The folder of run folders.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"``, ….
    command
        What was typed, for the record.
    quiet
        Whether to show no progress bar.

    Returns
    -------
    Path
        The run folder.

    Raises
    ------
    UserError
        For missing or damaged data, a folder of another config, a damaged checkpoint, or a term that is not finite.
    """
    return train_side_by_side([config], root, runs, device=device, command=command, quiet=quiet)[0]


def train_side_by_side(
    configs: Sequence[RunConfig],
    root: Path,
    runs: Path,
    *,
    device: str = "auto",
    command: str = "",
    quiet: bool = False,
) -> list[Path]:
    """Make runs that differ in their seed alone, in one process on one device, their updates in turn.

    On a CUDA device they overlap: each replays its graph on a stream of its own. A run's result is what it would be
    alone; its seconds are those of all together. Parameters and errors are those of `train`; where a term of one run is
    not finite, the others are finished first.

    Returns
    -------
    list
        The run folders.

    Raises
    ------
    NotFiniteRunsError
        Where several runs were to be made, and terms of some were not finite.
    """
    if len({replace(config, seed=0).hash for config in configs}) > 1:
        raise UserError("runs side by side must differ in their seed alone")
    records = [Record(runs / config.name, config) for config in configs]
    unfinished = [record for record in records if not record.finished]
    if unfinished:
        where = resolve_device(device)
        prepare_device(where)
        open_all = partial(_open, task=_load(unfinished[0].config, root), device=where, command=command)
        with own_threads(), Saver() as saver:
            broken = _make(unfinished, open_all, saver, quiet)
        if broken and len(unfinished) > 1:
            raise NotFiniteRunsError([(record.config, error) for record, error in broken])
        for _, error in broken:
            raise error
    return [record.folder for record in records]


def _load(config: RunConfig, root: Path) -> tuple[TaskData, Tensor | None]:
    """Load a run's data, and the target training labels for a method that sees them."""
    task = load_task(config.protocol, config.source, config.target, root)
    if not METHODS[config.method].sees_target_labels:
        return task, None
    return task, target_training_labels(config.protocol, config.target, config.source, root)


def _open(
    records: Sequence[Record], task: tuple[TaskData, Tensor | None], device: torch.device, command: str
) -> list[Job]:
    """Open a job for each record."""
    data, labels = task
    about = {"command": command, "code_version": code_version(), "versions": versions()}
    jobs = []
    for record in records:
        record.check_data(data)
        job = open_job(record, data, labels, device)
        jobs.append(job)
        record.begin(data, {**about, "device": describe_device(device), "side_by_side": len(records)}, job.layout)
    return jobs


def _make(
    records: Sequence[Record], open_all: Callable[[Sequence[Record]], list[Job]], saver: Saver, quiet: bool
) -> list[tuple[Record, NotFiniteError]]:
    """Make runs together, and each for itself once one of them is not finite; return those that were not, and why."""
    try:
        _choose_starts(records, open_all, saver, quiet)
        _finish(open_all(records), saver, quiet)
    except NotFiniteError as error:
        saver.flush()
        broken = error.with_traceback(None)  # its frames would keep the networks of all
    else:
        return []
    if len(records) == 1:
        return [(records[0], broken)]
    return [failure for record in records for failure in _make([record], open_all, saver, quiet)]


def _choose_starts(
    records: Sequence[Record], open_all: Callable[[Sequence[Record]], list[Job]], saver: Saver, quiet: bool
) -> None:
    """Try the starts of those runs that have several, one of each run after the other, and keep the best of each."""
    choosing = [(record, starts) for record in records if (starts := trials(record))]
    for round_of_trials in zip(*(starts for _, starts in choosing), strict=True):
        _try(round_of_trials, open_all, saver, quiet)
    for record, starts in choosing:
        keep_best(record, starts)


def _try(starts: Sequence[Trial], open_all: Callable[[Sequence[Record]], list[Job]], saver: Saver, quiet: bool) -> None:
    """Train starts as far as they are tried; one that gives a number which is not finite is left where it is."""
    try:
        _train(open_all(starts), saver, quiet)
    except NotFiniteError:
        saver.flush()
    else:
        return
    if len(starts) > 1:  # one of them: go on with each for itself, when the error and the networks of all are gone
        for start in starts:
            _try([start], open_all, saver, quiet)


def _finish(jobs: Sequence[Job], saver: Saver, quiet: bool) -> None:
    """Train all jobs to their end and write their results."""
    _train(jobs, saver, quiet)
    for job in jobs:
        write_json(job.record.result, make_result(job))


def _train(jobs: Sequence[Job], saver: Saver, quiet: bool) -> None:
    """Train all jobs to their end."""
    name = jobs[0].config.name if len(jobs) == 1 else f"{jobs[0].config.name} and {len(jobs) - 1} more"
    total, done = sum(job.record.end for job in jobs), sum(job.step for job in jobs)
    with tqdm(total=total, initial=done, disable=quiet, desc=name, unit="step") as bar:
        while running := [job for job in jobs if job.step < job.record.end]:
            before = sum(job.step for job in running)
            means = advance(running)
            bar.update(sum(job.step for job in running) - before)
            bar.set_postfix({key: f"{value:.3g}" for key, value in means[0].items()})
            for job, terms in zip(running, means, strict=True):
                evaluate(job, terms, saver)
    saver.flush()


def advance(jobs: Sequence[Job]) -> list[dict[str, float]]:
    """Make each job's updates up to its next evaluation, in turn; return each term's mean over them, for each job."""
    start = time.perf_counter()
    ends = [job.next_evaluation for job in jobs]
    counts = [end - job.step for job, end in zip(jobs, ends, strict=True)]
    try:
        for k in range(max(counts)):
            for job, count in zip(jobs, counts, strict=True):
                if k < count:
                    job.updates.make(job.step + k)
        means = [job.updates.means(count) for job, count in zip(jobs, counts, strict=True)]
    except Exception:
        for job in jobs:
            job.updates.wait()
        raise
    seconds = time.perf_counter() - start
    for job, end in zip(jobs, ends, strict=True):
        job.step, job.seconds = end, job.seconds + seconds
    return means

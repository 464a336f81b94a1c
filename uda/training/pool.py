"""Processes that train beside each other on a CPU, each on threads of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from typing import TypeVar

import torch

from uda.errors import UserError
from uda.training.devices import pin_threads, resolve_device

Work = TypeVar("Work")
Made = TypeVar("Made")


class KilledError(UserError):
    """A process that was ended from outside while it worked."""

    def __init__(self) -> None:
        super().__init__("its process was killed, perhaps for memory; give the command again")


def runs_at_a_time(device: str, threads: int | None = None) -> int:
    """Return how many runs a device is good for at once: one on a GPU, on a CPU as many as there are cores for.

    A run has the threads that are asked for, here or by ``OMP_NUM_THREADS``, and else one: small networks gain little
    from a second thread, and a core for each run loses nothing.
    """
    if resolve_device(device).type != "cpu":
        return 1
    return max(1, _cores() // _threads_each(threads))


def training_process(threads: int | None = None) -> ProcessPoolExecutor:
    """Return a pool of one process, with one thread or as many as are asked for; leaving its context waits.

    Where the process that asked for it is killed, it ends too: its runs go on where their checkpoints are.
    """
    return ProcessPoolExecutor(
        1, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(_threads_each(threads),)
    )


def in_processes(
    make: Callable[[Work], Made], works: Iterable[Work], jobs: int, threads: int | None = None
) -> Generator[tuple[Work, Future[Made]], None, None]:
    """Make each of some works, so many at a time, and yield it with its result, or its error, as soon as it ends.

    Each job has a pool of its own, so that a process that is killed takes no other with it: its work ends with a
    `KilledError`, and the next one is made in a new process.

    Parameters
    ----------
    make
        What is done, in another process.
    works
        What it is done to.
    jobs, threads
        Processes, and the threads of each, as for `training_process`.
    """
    waiting = list(works)[::-1]
    free = [training_process(threads) for _ in range(jobs)]
    busy: dict[Future[Made], tuple[Work, ProcessPoolExecutor]] = {}
    try:
        while waiting or busy:
            while waiting and free:
                work, pool = waiting.pop(), free.pop()
                busy[pool.submit(make, work)] = work, pool
            for done in wait(busy, return_when=FIRST_COMPLETED).done:
                work, pool = busy.pop(done)
                if isinstance(done.exception(), BrokenProcessPool):
                    pool.shutdown()
                    pool, done = training_process(threads), Future()
                    done.set_exception(KilledError())
                free.append(pool)
                yield work, done
    finally:
        for pool in (*free, *(pool for _, pool in busy.values())):
            pool.shutdown()


def _cores() -> int:
    """Return how many cores this process may use: fewer than there are under ``taskset`` or a job system."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _threads_each(threads: int | None) -> int:
    """Return the threads of a process: those that were asked for, here or by ``OMP_NUM_THREADS``, else one."""
    return threads or (torch.get_num_threads() if "OMP_NUM_THREADS" in os.environ else 1)


def _begin(threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what the user interrupts ends without a trace of its own
    pin_threads(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)

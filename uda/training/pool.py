"""Processes that train beside each other on a CPU, each on threads of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait

from uda.training.devices import pin_threads, resolve_device


def runs_at_a_time(device: str, threads: int | None = None) -> int:
    """Return how many runs a device is good for at once: one on a GPU, one for each of a CPU's cores (or of threads).

    Small networks gain little from a second thread, and a core for each run loses nothing.
    """
    if resolve_device(device).type != "cpu":
        return 1
    return max(1, (os.cpu_count() or 1) // (threads or 1))


def training_pool(jobs: int, threads: int | None = None) -> ProcessPoolExecutor:
    """Return a pool of processes with one thread each, or as many as are asked for; leaving its context waits.

    Where the process that asked for it is killed, they end too: their runs go on where their checkpoints are.
    """
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin, (threads or 1,))


def _begin(threads: int) -> None:
    pin_threads(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)

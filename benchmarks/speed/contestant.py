"""A contestant of a race in a process of its own, so that each has the memory and the settings that its users have."""

from __future__ import annotations

import argparse
import multiprocessing
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import torch
from matrix_share import matrix_share
from step_memory import step_memory
from timing import Timing, peak_memory, race, turn

#: Makes a step; built in the contestant's own process.
Step = Callable[[], object]


class Contestant:
    """Talks to the process in which a step is built and made.

    Parameters
    ----------
    build
        Returns the step; it must be picklable, as what it returns need not be.
    device
        Where its steps are made.
    threads
        Threads of torch in that process.
    """

    def __init__(self, build: Callable[[], Step], device: torch.device, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_obey, args=(theirs, build, device, threads))
        self._process.start()
        theirs.close()

    def turn(self, steps: int) -> tuple[float, float]:
        """Make steps: milliseconds of wall-clock and of processor time for one of them."""
        wall, processor = self._ask("turn", steps)
        return wall, processor

    def matrix_share(self) -> float:
        """Return the share of a step that is matrix work: see `matrix_share.matrix_share`."""
        return float(self._ask("matrix_share"))

    def memory(self) -> int:
        """Return the bytes that a step needs: see `step_memory.step_memory`."""
        return int(self._ask("memory"))

    def peak(self) -> int:
        """Return the bytes that its process, or its part of the device, held at the most."""
        return int(self._ask("peak"))

    def end(self) -> None:
        """End its process."""
        self._pipe.close()
        self._process.join(10)
        self._process.kill()

    def _ask(self, what: str, *arguments: int) -> Any:
        self._pipe.send((what, *arguments))
        worked, answer = self._pipe.recv()
        if not worked:
            raise RuntimeError(f"a contestant failed:\n{answer}")
        return answer


@contextmanager
def entered(
    builds: Mapping[str, Callable[[], Step]], device: torch.device, threads: int
) -> Iterator[dict[str, Contestant]]:
    """Start the process of each contestant, and end them all."""
    contestants: dict[str, Contestant] = {}
    try:
        for name, build in builds.items():
            contestants[name] = Contestant(build, device, threads)
        yield contestants
    finally:
        for contestant in contestants.values():
            contestant.end()


def race_contestants(
    builds: Mapping[str, Callable[[], Step]], images: int, device: torch.device, options: argparse.Namespace
) -> tuple[dict[str, Timing], str, int]:
    """Race contestants, each in its own process, by a script's ``threads``, ``rounds`` and ``steps``.

    Returns
    -------
    tuple
        Their timings; what share of each one's step is not matrix work, and how much memory it needs; the most bytes
        that one of them held.
    """
    with entered(builds, device, options.threads) as contestants:
        turns = {name: each.turn for name, each in contestants.items()}
        timings = race(turns, images, rounds=options.rounds, steps=options.steps)
        peak = max(each.peak() for each in contestants.values())  # before what is asked next sets it back
        shares = (f"{name} {100 * (1 - each.matrix_share()):.0f} %" for name, each in contestants.items())
        memory = (f"{name} {each.memory() / 2**20:.0f} MiB" for name, each in contestants.items())
        note = f"Not matrix work: {', '.join(shares)}. Memory of a step at the most: {', '.join(memory)}."
        return timings, note, peak


def _obey(pipe: Connection, build: Callable[[], Step], device: torch.device, threads: int) -> None:
    """Build a step, and do with it what is asked, until nobody asks any more."""
    torch.set_num_threads(threads)
    step: Step | None = None
    while True:
        try:
            question: tuple[Any, ...] = pipe.recv()
        except EOFError:
            return
        try:
            step = step or build()
            pipe.send((True, _answer(step, device, *question)))
        except Exception:
            pipe.send((False, traceback.format_exc()))


def _answer(step: Step, device: torch.device, what: str, steps: int = 0) -> object:
    if what == "turn":
        return turn(step, steps)
    if what == "matrix_share":
        return matrix_share(step)
    return step_memory(step, device) if what == "memory" else peak_memory(device)

"""How a run is laid out on a CPU: memory format and threads, chosen by trying a few updates of a copy."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product

import torch
from torch import nn

from uda.data.batches import Batches
from uda.methods import Method
from uda.training.updates import Updates

#: A shorter run than so many updates is not worth a probe.
WORTH_PROBING = 200
#: Updates that a candidate is timed on; the fastest counts.
TIMED_UPDATES = 3


@dataclass(frozen=True)
class Layout:
    """Memory format of networks and images (channels last, or first), and threads (0: as torch has them)."""

    channels_last: bool = True
    threads: int = 0

    @property
    def memory_format(self) -> torch.memory_format:
        """The format as torch names it."""
        return torch.channels_last if self.channels_last else torch.contiguous_format


def lay_out(method: Method, layout: Layout) -> None:
    """Put a method into a layout."""
    if layout.threads:
        torch.set_num_threads(layout.threads)
    nn.Module.to(method, memory_format=layout.memory_format)


@contextmanager
def own_threads() -> Iterator[None]:
    """Give this process its threads back in the end, so that the layout of one run does not bind the next."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def choose_layout(method: Method, batches: Batches, precision: str, steps: int) -> Layout:
    """Return the layout in which updates are fastest here and now.

    The method is left as it is. Threads are tried only where nobody said how many (``OMP_NUM_THREADS``); a CUDA
    device, and a run that is too short for it to matter, get the default.
    """
    if batches.source_images.device.type != "cpu" or steps < WORTH_PROBING:
        return Layout()
    threads = torch.get_num_threads()
    counts = [threads] if "OMP_NUM_THREADS" in os.environ else sorted({1, threads})
    layouts = [Layout(channels_last, count) for channels_last, count in product((True, False), counts)]
    with own_threads():
        return min(layouts, key=lambda layout: _seconds(method, batches, precision, layout))


def _seconds(method: Method, batches: Batches, precision: str, layout: Layout) -> float:
    """Return what an update of a copy takes, after one that is not counted."""
    trial = copy.deepcopy(method).train()
    lay_out(trial, layout)
    updates = Updates(trial, batches, precision, seed=0)
    updates.make(0)
    taken = []
    for step in range(1, 1 + TIMED_UPDATES):
        start = time.perf_counter()
        updates.make(step)
        taken.append(time.perf_counter() - start)
    return min(taken)

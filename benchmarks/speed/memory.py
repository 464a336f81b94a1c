"""What `keep_freed_memory` saves: a step of UNIT with and without it, in processes of their own, in turn.

python benchmarks/speed/memory.py [--rounds 5] [--threads 1]
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from timing import say

from uda.data.batches import Augmentation, Batches
from uda.methods import METHODS, TaskShape
from uda.training.capture import make_updates
from uda.training.devices import keep_freed_memory, resolve_precision
from uda.training.probe import Layout, lay_out

STEPS = 20


def step_of(method: str, size: int = 28, **settings: object) -> Callable[[int], None]:
    """Return a function that makes the update of a step, on random images."""
    torch.manual_seed(0)
    images = torch.randint(0, 256, (2000, 1, size, size), dtype=torch.uint8)
    kind = METHODS[method]
    built = kind(kind.Config(**settings), TaskShape((1, size, size), (1, size, size), 10, 1000)).train()
    lay_out(built, Layout())
    batches = Batches(images, torch.arange(2000) % 10, images, 64, Augmentation(2, 0.1), 1, "cpu", built.second_view)
    return make_updates(built, batches, resolve_precision("cpu", "auto"), 1).make


def measure(keep: bool, threads: int) -> tuple[float, float]:
    """Return milliseconds and page faults of a step."""
    torch.set_num_threads(threads)
    if keep:
        keep_freed_memory()
    step = step_of("unit", width=32, generator_width=8, discriminator_width=8)
    for number in range(5):
        step(number)
    faults, start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.perf_counter()
    for number in range(STEPS):
        step(number)
    seconds = time.perf_counter() - start
    return seconds / STEPS * 1e3, (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults) / STEPS


def main() -> None:
    """Measure and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("results/speed"))
    arguments = parser.parse_args()
    taken: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for _ in range(arguments.rounds):
        for keep, results in taken.items():
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
                results.append(process.submit(measure, keep, arguments.threads).result())
    ms = {keep: statistics.median(ms for ms, _ in results) for keep, results in taken.items()}
    faults = {keep: statistics.median(faults for _, faults in results) for keep, results in taken.items()}
    text = (
        f"A step of UNIT takes {ms[False]:.1f} ms and {faults[False]:.0f} page faults; with freed memory kept "
        f"{ms[True]:.1f} ms and {faults[True]:.0f}: {ms[False] / ms[True]:.2f} times as fast.\n"
    )
    say(arguments.out, "memory", text, torch.device("cpu"))


if __name__ == "__main__":
    main()

"""What `keep_freed_memory` saves: a step of UNIT with and without it, in processes of their own, in turn.

python benchmarks/speed/memory.py [--rounds 5] [--threads 1]
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from digit_unit import digit_method, digit_updates
from timing import say

from uda.training.memory import keep_freed_memory

STEPS = 20


def measure(keep: bool, threads: int) -> tuple[float, float]:
    """Return milliseconds and page faults of a step."""
    torch.set_num_threads(threads)
    if keep:
        keep_freed_memory()
    step = digit_updates(digit_method()).make
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

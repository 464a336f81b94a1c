"""Whether `torch.compile` pays on a CPU: UNIT's step with its networks compiled, against the same step without.

    python benchmarks/speed/compiled.py [--rounds 5] [--threads 1]

Prints what compiling took, the ratio of the steps, and after how many steps it would be paid back.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path

import torch
from compiled_networks import compile_networks
from digit_unit import BATCH, digit_method, digit_updates
from timing import race, say, turn

from uda.methods.unit import UnitMethod
from uda.training.memory import keep_freed_memory


def compiled_method() -> UnitMethod:
    """Build UNIT with the forward functions of its networks compiled."""
    method = digit_method()
    compile_networks(method.core)
    return method


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("results/speed"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    plain, compiled = digit_updates(digit_method()), digit_updates(compiled_method())
    start = time.perf_counter()
    for step in range(3):
        compiled.make(step)
    compiling = time.perf_counter() - start
    found = race(
        {
            "as it is": partial(turn, lambda: plain.make(500)),
            "compiled": partial(turn, lambda: compiled.make(500)),
        },
        2 * BATCH,
        rounds=arguments.rounds,
    )
    before, after = found["as it is"].milliseconds, found["compiled"].milliseconds
    paid = f"paid back after {compiling * 1e3 / (before - after):,.0f} steps" if after < before else "never paid back"
    text = (
        f"A step of UNIT takes {before:.1f} ms as it is, {after:.1f} ms compiled: {before / after:.2f} times as fast. "
        f"Compiling takes {compiling:.0f} s, {paid}.\n"
    )
    say(arguments.out, "compiled", text, torch.device("cpu"))


if __name__ == "__main__":
    main()

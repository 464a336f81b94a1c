"""How long a large table takes: 40 methods on 6 pairs with 5 seeds each, 1,200 run folders, on one thread.

Seconds are those of the processor (user and system), so that what else the machine does is left out.

python benchmarks/speed/tables.py [--methods 40] [--seeds 5] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from timing import say

from uda.evaluation.runs import find_runs
from uda.evaluation.write import Format, write_tables
from uda.metrics.correctness import pack

#: (source, target, target test images).
PAIRS = (
    *(("mnist", "usps", 2007), ("usps", "mnist", 10_000), ("svhn", "mnist", 10_000)),
    *(("mnist", "mnistm", 10_000), ("mnist", "svhn", 26_032), ("syndigits", "svhn", 26_032)),
)
FORMATS: tuple[Format, ...] = ("text", "md", "latex", "html", "csv")


def write_runs(folder: Path, methods: int, seeds: int) -> int:
    """Write what finished runs leave of which a table is made; images are right by chance, hard ones seldom.

    Returns
    -------
    int
        How many run folders there are.
    """
    generator = np.random.default_rng(0)
    for source, target, images in PAIRS:
        difficulty = generator.normal(0, 1.5, images)
        for method in range(methods):
            ease = generator.normal(2.5, 0.5) + generator.normal(0, 0.5, images) - difficulty
            for seed in range(seeds):
                chances = 1 / (1 + np.exp(-ease - generator.normal(0, 0.1)))
                right = [torch.from_numpy(generator.random(images) < chances) for _ in range(2)]
                write_run(folder, name_of(method), (source, target), seed, right)
    return len(PAIRS) * methods * seeds


def name_of(number: int) -> str:
    """Return a method's name: the two bounds first, then names that no method has."""
    return ("source-only", "target-only")[number] if number < 2 else f"method-{number:02d}"


def write_run(folder: Path, method: str, pair: tuple[str, str], seed: int, right: list[torch.Tensor]) -> None:
    """Write one run folder."""
    source, target = pair
    name = f"{source}-{target}-{method}-seed{seed}"
    last, pick = (100.0 * float(bits.double().mean()) for bits in right)
    config: dict[str, Any] = {"method": method, "preset": "default", "source": source, "target": target}
    config |= {"protocol": "standard", "seed": seed, "steps": 2000, "validator": "entropy", "precision": "fp32"}
    result = {
        **config,
        **{"accuracy_last": last, "accuracy_validator": pick, "accuracy_oracle": max(last, pick)},
        **{"validator_step": 1800, "oracle_step": 2000, "n_test": len(right[0]), "device": "cpu"},
        **{"seconds": 60.0, "steps_per_second": 30.0, "config_hash": name, "code_version": "v1", "notes": ""},
        **{"correct_last": pack(right[0]), "correct_validator": pack(right[1])},
    }
    (folder / name).mkdir(parents=True)
    settings = {"batch_size": 64, "settings": {f"setting_{number}": number / 7 for number in range(25)}}
    run = {"config": config | settings, "config_hash": name}
    (folder / name / "run.json").write_text(json.dumps(run), encoding="utf-8")
    (folder / name / "result.json").write_text(json.dumps(result), encoding="utf-8")


def measure(folder: Path, rounds: int) -> dict[str, float]:
    """Return seconds, the least of some rounds: reading, then reading and writing each format; and the command's."""
    taken = {"reading alone": least(lambda: find_runs([folder]), rounds)}
    for form in FORMATS:
        taken[f"reading and writing {form}"] = least(partial(render, folder, form), rounds)
    taken["the command uda table, to LaTeX"] = least(partial(run_command, "table", str(folder), "-o", "t.tex"), rounds)
    taken["the same without a run, to its help"] = least(partial(run_command, "table", "--help"), rounds)
    return taken


def run_command(*arguments: str) -> None:
    """Run ``uda`` in a process of its own."""
    command = [sys.executable, "-m", "uda.cli.main", *arguments]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


def render(folder: Path, form: Format) -> str:
    """Make the table as ``uda table`` does."""
    found = find_runs([folder])
    return write_tables(found.results, form, missing=found.missing, broken=found.broken)


def least(make: Callable[[], object], rounds: int) -> float:
    """Return the least processor seconds of some rounds, those of processes that it ran and waited for included."""
    times = []
    for _ in range(rounds):
        start = sum(os.times()[:4])
        make()
        times.append(sum(os.times()[:4]) - start)
    return min(times)


def main() -> None:
    """Make the folders, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/speed"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "runs"
        count = write_runs(folder, arguments.methods, arguments.seeds)
        taken = measure(folder, arguments.rounds)
    lines = [f"A table of {count:,} run folders, one thread, processor seconds (least of {arguments.rounds}):"]
    lines += [f"  {what:<40} {seconds:5.2f}" for what, seconds in taken.items()]
    say(arguments.out, "tables", "\n".join(lines) + "\n", torch.device("cpu"))


if __name__ == "__main__":
    main()

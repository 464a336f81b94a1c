"""How long until UNIT's published accuracy, from the start of ``uda train`` to the end of a run planned to that length.

    python benchmarks/speed/time_to_accuracy.py [--recipes benchmarks/fast-*.toml] [--figure 90.53]

Each seed of a recipe's first entry is a command of its own: Python's start, reading the data, training, and the last
evaluation are all in its time. It is made in the precision that this machine is faster in. A run counts if its
accuracy at the last step passes the figure; the time of one that does not is infinite. Runs are not shared with other
benchmarks; what a killed call has measured, the next one keeps.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from timing import machine

from uda.errors import UserError
from uda.evaluation.command import train_command
from uda.evaluation.labels import pair_label
from uda.evaluation.published import load_published, published_name
from uda.evaluation.runs import read_result
from uda.sweeps.recipe import Recipe, load_recipe
from uda.training.config import RunConfig
from uda.training.devices import resolve_device, resolve_precision
from uda.training.versions import code_version

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Timed:
    """A run: its wall-clock seconds from the command's start to its end, and its accuracy at the last step."""

    pair: str
    seed: int
    config_hash: str
    code_version: str
    command: str
    seconds: float
    training_seconds: float
    accuracy: float


def published_figure(source: str, target: str) -> float:
    """Return UNIT's own published accuracy of a pair, in percent; `UserError` where there is none."""
    pair = published_name(source), published_name(target)
    for row in load_published():
        if row.method == "UNIT" and (row.source, row.target) == pair:
            return float(row.accuracy)
    raise UserError(f"UNIT has published no number for {source} to {target}; give one by --figure")


def time_run(config: RunConfig, root: Path, runs: Path, device: str) -> Timed:
    """Run ``uda train`` in a process of its own and time it; what an earlier call left of the run is removed first."""
    folder = runs / config.name
    shutil.rmtree(folder, ignore_errors=True)
    command = train_command(config)
    words = [sys.executable, "-m", "uda.cli.main", *shlex.split(command)[1:], "--runs", str(runs), "--device", device]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "UDA_DATA": str(root)}
    start = time.perf_counter()
    subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    result = read_result(folder)
    pair = pair_label((config.source, config.target))
    facts = (config.seed, config.hash, result.code_version, command)
    return Timed(pair, *facts, seconds, result.seconds, result.accuracy_last)


def median_time(timed: Sequence[Timed], figure: float) -> float:
    """Return the median over runs of the seconds to a figure, which a run that does not pass it never reaches."""
    return statistics.median(run.seconds if run.accuracy > figure else math.inf for run in timed)


def row(recipe: Recipe, timed: Sequence[Timed], figure: float) -> str:
    """Write a line of the table."""
    config, accuracies = recipe.configs[0], [run.accuracy for run in timed]
    median = median_time(timed, figure)
    reached = "not reached" if math.isinf(median) else f"{median:.0f}"
    times = [run.seconds for run in timed]
    passed = sum(accuracy > figure for accuracy in accuracies)
    return (
        f"| {timed[0].pair} | {figure:.2f} | {config.steps:,} | {reached} "
        f"| {min(times):.0f} to {max(times):.0f} | {statistics.median(run.training_seconds for run in timed):.0f} "
        f"| {', '.join(f'{accuracy:.2f}' for accuracy in accuracies)} | {passed} of {len(timed)} |"
    )


def text_of(rows: Sequence[str], about: dict[str, object]) -> str:
    """Write the table."""
    return "\n".join(
        [
            "### Time to UNIT's published accuracy",
            "",
            "Seconds of wall-clock from the start of `uda train` to its end, median over seeds; a run whose accuracy "
            "at the last step does not pass the figure never reaches it.",
            "",
            "| pair | figure | steps | seconds | least to most | of them in training | accuracies | pass |",
            "| :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
            *rows,
            "",
            ", ".join(f"{key} {value}" for key, value in about.items()),
            "",
        ]
    )


def measure(
    recipe: Recipe, known: list[Timed], root: Path, runs: Path, device: str, precision: str, keep: Path
) -> list[Timed]:
    """Time those runs of a recipe's first entry that have not been timed with this code; keep each as it is made."""
    entry = recipe.configs[0]
    precision = resolve_precision(device, precision)
    same_entry = [c for c in recipe.configs if (c.method, c.preset) == (entry.method, entry.preset)]
    configs = [replace(config, precision=precision) for config in same_entry]
    found = []
    for config in configs:
        same = [t for t in known if (t.config_hash, t.code_version) == (config.hash, code_version())]
        if not same:
            same = [time_run(config, root, runs, device)]
            known += same
            keep.write_text(json.dumps([asdict(t) for t in known], indent=2) + "\n")
        print(f"{same[0].pair} seed {config.seed}: {same[0].accuracy:.2f} % in {same[0].seconds:.0f} s", flush=True)
        found += same
    return found


def main() -> None:
    """Measure, print, and write ``time_to_accuracy.md`` and ``time_to_accuracy.json``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", type=Path, default=sorted((ROOT / "benchmarks").glob("fast-*.toml")))
    parser.add_argument("--figure", type=float, help="percent; UNIT's published one where it is not given")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto", help="in place of the recipes'; auto is what is faster here")
    parser.add_argument("--data-root", type=Path, default=Path(os.environ.get("UDA_DATA", "data")))
    parser.add_argument("--runs", type=Path, default=Path("runs/timed"))
    parser.add_argument("--out", type=Path, default=Path("results/speed"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    keep = arguments.out / "time_to_accuracy.json"
    known = [Timed(**values) for values in json.loads(keep.read_text())] if keep.exists() else []
    rows = []
    for recipe in map(load_recipe, arguments.recipes):
        figure = arguments.figure or published_figure(recipe.source, recipe.target)
        where = arguments.data_root.resolve(), arguments.runs, arguments.device, arguments.precision
        timed = measure(recipe, known, *where, keep)
        rows.append(row(recipe, timed, figure))
    text = text_of(rows, machine(resolve_device(arguments.device)))
    print("\n" + text)
    (arguments.out / "time_to_accuracy.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

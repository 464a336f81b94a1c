"""Runs of which a table shows everything at once, and the tables that are expected of them.

``python -m tests.evaluation.golden`` writes them again; look at what changed before it is committed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tests.evaluation.examples import result
from uda.evaluation.runs import FoundRuns, MissingRun, RunResult
from uda.evaluation.write import write_tables
from uda.metrics.correctness import pack

FOLDER = Path(__file__).with_name("golden")
PAIRS = {("mnist", "usps"): 2007, ("svhn", "mnist"): 10_000}


def run(method: str, pair: tuple[str, str], seed: int, right: tuple[int, int, int], **values: Any) -> RunResult:
    """A run that gets as many images right at its last step, at its pick and at the oracle's: the easiest ones."""
    images = PAIRS[pair]
    order = (torch.arange(images) * 7919 + 13 * len(method)) % images  # some other order of images for each method
    last, pick, oracle = (100 * count / images for count in right)
    known: dict[str, Any] = {
        "accuracy_last": last,
        "accuracy_validator": pick,
        "accuracy_oracle": oracle,
        "n_test": images,
    }
    known |= {"correct_last": pack(order < right[0]), "correct_validator": pack(order < right[1])}
    where: dict[str, Any] = {"source": pair[0], "target": pair[1], "method": method, "seed": seed}
    return result(**{**where, **known, **values})


def missing(method: str, pair: tuple[str, str], seed: int, reason: str) -> MissingRun:
    example = run(method, pair, seed, (1, 1, 1))
    names = ("method", "preset", "source", "target", "protocol", "seed", "steps", "validator", "precision", "settings")
    known = {name: getattr(example, name) for name in names}
    return MissingRun(Path("a"), **known, config_hash="", unfinished=reason.startswith("un"), reason=reason)


USPS, MNIST = PAIRS
UNVERIFIED = {"notes": "svhn test: file unverified"}
FOUND = FoundRuns(
    results=(
        *(run("source-only", USPS, seed, (1500 + 9 * seed, 1490, 1540)) for seed in (1, 2, 3)),
        *(run("dann", USPS, seed, (1905 + seed, 1900 - 2 * seed, 1915)) for seed in (1, 2, 3)),
        *(run("unit", USPS, seed, (1950 + seed, 1950 - seed, 1960)) for seed in (1, 2, 3)),
        *(run("unit", USPS, seed, (1949 - seed, 1940, 1955), preset="no_teacher") for seed in (1, 2)),
        run("target-only", USPS, 1, (1965, 1960, 1970)),
        *(run("source-only", MNIST, seed, (6000 + 90 * seed, 6100, 6300), **UNVERIFIED) for seed in (1, 2)),
        run("unit", MNIST, 1, (9500, 9480, 9520), **UNVERIFIED),
        run("of-tomorrow", MNIST, 1, (9100, 9105, 9200), correct_last="", correct_validator="", **UNVERIFIED),
        run("unit", MNIST, 1, (9000, 9000, 9000), protocol="unit-2017"),
    ),
    missing=(
        missing("dann", MNIST, 1, "failed: ValueError: the loss is not finite"),
        missing("unit", MNIST, 2, "unfinished at step 400 of 2,000"),
    ),
    broken=("line 7 of runs.csv is broken: n_test is 'many', not a whole number",),
)


def write(**options: Any) -> str:
    return write_tables(FOUND.results, missing=FOUND.missing, broken=FOUND.broken, **options)


#: What is expected in each file.
TABLES: dict[str, Callable[[], str]] = {
    "table.txt": lambda: write(),
    "wide.txt": lambda: write(width=200),
    "table.md": lambda: write(form="md"),
    "table.tex": lambda: write(form="latex"),
    "table.html": lambda: write(form="html"),
    "table.csv": lambda: write(form="csv"),
    "paper.txt": lambda: write(arrangement="paper"),
    "paper.md": lambda: write(form="md", arrangement="paper", headline="validator"),
}

if __name__ == "__main__":
    for name, make in TABLES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")
        print(f"wrote {FOLDER / name}")

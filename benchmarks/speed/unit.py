"""Race our UNIT against a bare loop that makes the same update, and against the authors' structure rebuilt.

Run as ``python benchmarks/speed/unit.py``. All three learn by the authors' recipe (our preset ``unit-2017``) on the
same 32x32 colour images, 64 of each domain a step, at one width for encoders, generators and discriminators, as in the
first of the recipes that the authors released. A fourth row shows our default preset, which makes another update; with
``--compiled`` a fifth shows ours with its networks compiled. Each has a process of its own; what the trainer sets there
before a run (memory that is kept, large pages) is set in ours alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import torch
from authors_unit import AuthorsUnit
from bare_unit import BareUnit, batches
from compiled_networks import compile_networks
from contestant import Step, race_contestants
from timing import write
from torch import Tensor

from uda.data.augmentation import Augmentation
from uda.data.batches import Batches
from uda.methods import TaskShape
from uda.methods.unit import AUTHORS, UnitConfig, UnitMethod
from uda.training.capture import make_updates
from uda.training.devices import prepare_device, resolve_device, resolve_precision
from uda.training.probe import Layout, lay_out

BATCH, IMAGES, CHANNELS, SIDE, CLASSES = 64, 4096, 3, 32, 10
OURS = "ours"


@dataclass(frozen=True)
class Data:
    """What all contestants learn from: uint8 images of both domains, and the source's labels."""

    source: Tensor
    labels: Tensor
    target: Tensor


def draw_data() -> Data:
    """Draw images of the size of SVHN's; their contents change no timing."""
    generator = torch.Generator().manual_seed(0)
    shape = (IMAGES, CHANNELS, SIDE, SIDE)
    return Data(
        torch.randint(256, shape, dtype=torch.uint8, generator=generator),
        torch.randint(CLASSES, (IMAGES,), generator=generator),
        torch.randint(256, shape, dtype=torch.uint8, generator=generator),
    )


def our_step(
    device: torch.device, precision: str, settings: Mapping[str, Any], compiled: bool = False
) -> Callable[[], object]:
    """Return a step of `UnitMethod` as the trainer makes it, or with its networks compiled."""
    prepare_device(device)
    shape, data = (CHANNELS, SIDE, SIDE), draw_data()
    method = UnitMethod(UnitConfig(**settings), TaskShape(shape, shape, CLASSES, 200_000)).to(device)
    lay_out(method.train(), Layout())
    if compiled:
        compile_networks(method.core)
    ours = Batches(data.source, data.labels, data.target, BATCH, Augmentation(), 1, device, method.second_view)
    updates, numbers = make_updates(method, ours, precision, 1), count()
    return lambda: updates.make(next(numbers))


def bare_step(device: torch.device, precision: str, width: int) -> Callable[[], object]:
    """Return the step of the bare loop."""
    data = draw_data()
    endless = batches(data.source, data.labels, data.target, BATCH, device)
    return BareUnit(CHANNELS, width, endless, device, precision == "bf16").step


def authors_step(device: torch.device, width: int, workers: int) -> Callable[[], object]:
    """Return the step of the authors' structure."""
    data = draw_data()
    return AuthorsUnit(data.source, data.labels, data.target, width, BATCH, device, workers).step


def contestants(width: int, device: torch.device, workers: int, compiled: bool) -> dict[str, Callable[[], Step]]:
    """Return what builds each contestant's step at a width."""
    precision = resolve_precision(str(device), "auto")
    recipe = {**AUTHORS, "width": width, "discriminator_width": width}
    builds: dict[str, Callable[[], Step]] = {
        OURS: partial(our_step, device, precision, recipe),
        "bare loop": partial(bare_step, device, precision, width),
        "authors' structure": partial(authors_step, device, width, workers),
        "our default preset (another update)": partial(our_step, device, precision, {"width": width}),
    }
    if compiled:
        builds["ours, networks compiled"] = partial(our_step, device, precision, recipe, compiled=True)
    return builds


def main() -> None:
    """Read the options, race at each width, print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--rounds", type=int, default=7, help="turns of each contestant")
    parser.add_argument("--steps", type=int, default=5, help="steps of a turn")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of torch")
    parser.add_argument("--workers", type=int, default=0, help="processes of each of the authors' data loaders")
    parser.add_argument("--compiled", action="store_true", help="race our networks through torch.compile too")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=Path("results/speed"))
    options = parser.parse_args()
    device = resolve_device(options.device)
    sections, notes, peaks = {}, {}, []
    for width in options.widths:
        title = f"UNIT, {CHANNELS}x{SIDE}x{SIDE}, batch 2x{BATCH}, width {width}"
        builds = contestants(width, device, options.workers, options.compiled)
        sections[title], notes[title], peak = race_contestants(builds, 2 * BATCH, device, options)
        peaks.append(peak)
    write(options.out, "unit", sections, OURS, device, notes, max(peaks))


if __name__ == "__main__":
    main()

"""A window of training on one device: how busy it is, how far it gets, and what several seeds at once cost.

    python benchmarks/speed/window.py [--device cuda] [--seconds 120] [--out results/speed]

The method is UNIT by preset ``unit-2017`` at its full width on images of SVHN's number and size. On a CUDA device the
updates are captured; on a CPU the same code makes them eagerly.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from timing import machine, wait
from torch.profiler import ProfilerActivity, profile

from uda.data.augmentation import Augmentation
from uda.data.batches import Batches
from uda.methods import METHODS, TaskShape
from uda.methods.unit import AUTHORS
from uda.training.capture import make_updates
from uda.training.devices import resolve_device, resolve_precision
from uda.training.probe import Layout, lay_out
from uda.training.updates import Updates

#: The updates of the authors' recipe.
PAPER_STEPS = 200_000
SIDE, CLASSES, BATCH = 32, 10, 64
#: Updates by which the device's busy share is found.
PROFILED = 50


@dataclass(frozen=True)
class Images:
    """Uint8 images of both domains on the device, and the labels of the source's."""

    source: torch.Tensor
    labels: torch.Tensor
    target: torch.Tensor


def draw(count: int, device: torch.device) -> Images:
    """Draw random images: their contents change no timing."""
    shape = (count, 3, SIDE, SIDE)
    return Images(
        torch.randint(256, shape, dtype=torch.uint8, device=device),
        torch.randint(CLASSES, (count,), device=device),
        torch.randint(256, shape, dtype=torch.uint8, device=device),
    )


def updates_of(images: Images, seed: int, width: int) -> Updates:
    """Build UNIT of the authors' recipe at a width, ready to train."""
    device = images.source.device
    torch.manual_seed(seed)
    narrow = {"width": width, "discriminator_width": max(1, width * 2 // 3)}
    config = METHODS["unit"].Config(**{**AUTHORS, **narrow})
    shape = (3, SIDE, SIDE)
    method = METHODS["unit"](config, TaskShape(shape, shape, CLASSES, PAPER_STEPS)).to(device).train()
    lay_out(method, Layout())
    batches = Batches(images.source, images.labels, images.target, BATCH, Augmentation(), seed, device)
    return make_updates(method, batches, resolve_precision(str(device), "auto"), seed)


def train_for(seconds: float, runs: Sequence[Updates], begin: int = 0) -> tuple[int, float]:
    """Make updates of all runs in turn until the time is over; return how many each made, and the seconds."""
    start, step = time.perf_counter(), begin
    while time.perf_counter() - start < seconds:
        for _ in range(20):
            for updates in runs:
                updates.make(step)
            step += 1
        wait()
    for updates in runs:
        updates.means(step - begin)
    wait()
    return step - begin, time.perf_counter() - start


def busy_share(make: Callable[[int], object], begin: int, steps: int, device: torch.device) -> float:
    """Return the share of a window's time in which the device ran at least one kernel; nan on a CPU."""
    if device.type != "cuda":
        return float("nan")
    with profile(activities=[ProfilerActivity.CUDA]) as recorded:
        for step in range(begin, begin + steps):
            make(step)
        wait()
    spans = sorted(
        (event.time_range.start, event.time_range.end)
        for event in recorded.events()
        if event.device_type.name == "CUDA"
    )
    busy, reached = 0.0, spans[0][0]
    for start, end in spans:
        busy += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return float(busy / (reached - spans[0][0]))


def measure(device: torch.device, seconds: float, width: int, count: int, seeds: int) -> dict[str, float]:
    """Measure one run in a long window, how busy the device is, and several seeds at once in a short one."""
    images = draw(count, device)
    runs = [updates_of(images, seed, width) for seed in range(seeds)]
    warm = 10
    for updates in runs:
        for step in range(warm):
            updates.make(step)
    wait()
    made, taken = train_for(seconds, runs[:1], warm)
    alone = made / taken
    busy = busy_share(runs[0].make, warm + made, PROFILED, device)
    some, taken = train_for(seconds / 10, runs, warm + made + PROFILED)
    together = some / taken
    return {
        "steps_per_second": alone,
        "window_seconds": seconds,
        "projected_minutes": PAPER_STEPS / alone / 60,
        "busy_share": busy,
        "seeds": seeds,
        "seeds_steps_per_second": together,
        "seeds_cost": alone / together,
    }


def main() -> None:
    """Measure, print and write ``window.json``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--width", type=int, default=AUTHORS["width"])
    parser.add_argument("--images", type=int, default=73_257)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("results/speed"))
    arguments = parser.parse_args()
    device = resolve_device(arguments.device)
    found = measure(device, arguments.seconds, arguments.width, arguments.images, arguments.seeds)
    print(f"{found['steps_per_second']:.1f} steps/s at width {arguments.width} over {arguments.seconds:.0f} s:")
    print(f"  {PAPER_STEPS:,} steps in {found['projected_minutes']:.1f} minutes")
    if device.type == "cuda":
        print(f"  the device was busy {found['busy_share']:.1%} of the time")
    print(f"  {arguments.seeds} seeds at once take {found['seeds_cost']:.2f} times as long as one")
    arguments.out.mkdir(parents=True, exist_ok=True)
    values = {"machine": machine(device), "width": arguments.width, **found}
    (arguments.out / "window.json").write_text(json.dumps(values, indent=2) + "\n")


if __name__ == "__main__":
    main()

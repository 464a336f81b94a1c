"""Profile a training step of UNIT and of DANN on this processor: what takes its time, and what that belongs to.

Run as ``python benchmarks/speed/profile_step.py``; it writes ``results/speed/profile.md``. The time of an operator is
its own, without what it calls, and the mean over steps: other work on the machine stretches small and large operators
alike in the mean, and in the median the large ones alone. The profiler's own time is in it, so that many small
operators look larger than they are beside few large ones.
"""

from __future__ import annotations

import argparse
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import torch
import unit
from dann_task import build_method, draw_task
from matrix_share import OPERATORS
from timing import say
from torch import Tensor
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile, record_function

from uda.data.augmentation import Augmentation
from uda.data.batches import Batch, Batches
from uda.methods import Method, TaskShape
from uda.methods.unit import AUTHORS, UnitConfig, UnitMethod
from uda.training.capture import make_updates
from uda.training.devices import resolve_precision
from uda.training.probe import Layout, lay_out

STEP, BATCH = "one training step", "batch and augmentation"
MATRIX, NORM, OPTIMISER, BETWEEN = "matrix work", "normalisation", "optimiser", "Python and dispatch"
ELEMENTWISE, MEMORY, RANDOM = "elementwise, pooling and losses", "copies and filling", "random numbers"
#: What an operator belongs to by the range that it runs in, whatever it is, …
RANGES = {BATCH: BATCH, "Optimizer.step": OPTIMISER}
#: … or else by its name; what is not here is `ELEMENTWISE`.
NAMES = {
    MATRIX: OPERATORS,
    NORM: re.compile(r"aten::\w*(batch|layer|group|instance)_norm\w*"),
    MEMORY: re.compile(r"aten::(\w*cop[yi]\w*|cat|clone|to|contiguous|fill_|zero_|zeros\w*|ones\w*|empty\w*|index\w*)"),
    RANDOM: re.compile(r"aten::(rand\w*|normal\w*|bernoulli\w*|uniform\w*)"),
    BETWEEN: re.compile(r"(?!aten::).*"),
}
SHOWN = 15


@dataclass(frozen=True)
class Operator:
    """What an operator takes in a step: its own milliseconds, its calls, and what it belongs to."""

    name: str
    kind: str
    milliseconds: float
    calls: float


def profile_step(step: Callable[[], object], steps: int = 10, warmup: int = 3) -> list[Operator]:
    """Profile a training step on the processor.

    Parameters
    ----------
    step
        Makes one training step.
    steps
        How many to profile.
    warmup
        How many to make before.

    Returns
    -------
    list
        Operators that belong to different kinds are listed for each; the longest first.
    """
    for _ in range(warmup):
        step()
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        for _ in range(steps):
            with record_function(STEP):
                step()
    times: Counter[tuple[str, str]] = Counter()
    calls: Counter[tuple[str, str]] = Counter()
    for event in profiler.events():
        names = _ancestors(event)
        if names[-1] == STEP:
            key = event.name, kind_of(names)
            times[key] += event.self_cpu_time_total
            calls[key] += 1
    return [Operator(*key, taken / steps / 1e3, calls[key] / steps) for key, taken in times.most_common()]


def kind_of(names: Sequence[str]) -> str:
    """Return what an operator belongs to, by its own name and those of what called it, the innermost first."""
    for name in names:
        for start, kind in RANGES.items():
            if name.startswith(start):
                return kind
    return next((kind for kind, pattern in NAMES.items() if pattern.fullmatch(names[0])), ELEMENTWISE)


def _ancestors(event: FunctionEvent) -> list[str]:
    """Return the names of an event and of all that it ran in, the innermost first."""
    names = [event.name]
    while event.cpu_parent is not None:
        event = event.cpu_parent
        names.append(event.name)
    return names


def markdown(title: str, operators: Sequence[Operator]) -> str:
    """Write two tables: the share of each kind, and the operators that take most of the time."""
    total = sum(operator.milliseconds for operator in operators)
    kinds: dict[str, float] = defaultdict(float)
    for operator in operators:
        kinds[operator.kind] += operator.milliseconds
    lines = [f"### {title}", "", "| what | ms a step | share |", "| :--- | ---: | ---: |"]
    lines += [
        f"| {kind} | {taken:.2f} | {100 * taken / total:.1f} % |"
        for kind, taken in sorted(kinds.items(), key=lambda entry: -entry[1])
    ]
    lines += [f"| all | {total:.2f} | 100 % |", "", "| operator | belongs to | calls a step | ms a step | share |"]
    lines.append("| :--- | :--- | ---: | ---: | ---: |")
    for o in operators[:SHOWN]:
        share = 100 * o.milliseconds / total
        lines.append(f"| `{o.name}` | {o.kind} | {o.calls:g} | {o.milliseconds:.2f} | {share:.1f} % |")
    return "\n".join([*lines, ""])


class RangedBatches(Batches):
    """Batches whose making is a range of its own in a profile."""

    def make(self, source: Tensor, target: Tensor) -> Batch:
        """Return the batch of these indices."""
        with record_function(BATCH):
            return super().make(source, target)


def step_of(
    method: Method, data: unit.Data, batch_size: int, augmentation: Augmentation, precision: str
) -> Callable[[], object]:
    """Return a step of a method as the trainer makes it."""
    lay_out(method.train(), Layout())
    images = data.source, data.labels, data.target
    batches = RangedBatches(*images, batch_size, augmentation, 1, "cpu", method.second_view)
    updates, numbers = make_updates(method, batches, precision, 1), count()
    return lambda: updates.make(next(numbers))


def unit_step(config: UnitConfig, data: unit.Data, augmentation: Augmentation, precision: str) -> Callable[[], object]:
    """Return a step of UNIT on images of both domains that have one shape."""
    torch.manual_seed(0)
    channels, height, width = data.source.shape[1:]
    shape = channels, height, width
    method = UnitMethod(config, TaskShape(shape, shape, unit.CLASSES, 200_000))
    return step_of(method, data, unit.BATCH, augmentation, precision)


def profiled(precision: str) -> dict[str, Callable[[], object]]:
    """Return what is profiled: title to step."""
    colour, task = unit.draw_data(), draw_task(torch.device("cpu"))
    grey = unit.Data(colour.source[:, :1, :28, :28], colour.labels, colour.target[:, :1, :28, :28])
    authors = UnitConfig(**{**AUTHORS, "width": 32, "discriminator_width": 32})
    dann = unit.Data(task.source, task.labels, task.target)
    batch = f"batch 2x{unit.BATCH}"
    return {
        f"UNIT, preset default, 1x28x28, {batch}, the digit recipes' augmentation, {precision}": unit_step(
            UnitConfig(), grey, Augmentation(2, 0.1), precision
        ),
        f"UNIT, preset unit-2017 at width 32, 3x32x32, {batch}, {precision}": unit_step(
            authors, colour, Augmentation(), precision
        ),
        f"DANN, DTN, 3x32x32, batch 2x{task.batch_size}, {precision}": step_of(
            build_method(), dann, task.batch_size, Augmentation(), precision
        ),
    }


def describe_load(load: float, cores: int) -> str:
    """Say what else the machine had to do when this began, and what that means for the numbers."""
    busy = "; other work stretched the milliseconds, read the shares alone" if load > cores else ""
    return f"Load of the machine when this began: {load:.1f} on {cores} cores{busy}.\n"


def main() -> None:
    """Read the options, profile, print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10, help="steps that are profiled")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of torch")
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    parser.add_argument("--out", type=Path, default=Path("results/speed"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    steps = profiled(resolve_precision("cpu", options.precision))
    load = describe_load(os.getloadavg()[0], os.cpu_count() or 1)
    tables = [markdown(title, profile_step(step, options.steps)) for title, step in steps.items()]
    say(options.out, "profile", "\n".join([*tables, load]), torch.device("cpu"))


if __name__ == "__main__":
    main()

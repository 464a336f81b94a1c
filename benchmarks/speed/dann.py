"""Race our DANN against a bare loop that makes the same update, that loop fed by PIL images, skada and pytorch-adapt.

Run as ``python benchmarks/speed/dann.py``. All learn the same networks (DTN, one hidden layer of 100 for the domains)
with Adam from the same 2,000 colour images of 32x32 of each domain, 128 of each a step, each with its own data loading.
We and the bare loop use the precision that our trainer chooses, all others fp32; a further row shows us in fp32. A peer
that is not installed is left out. Each has a process of its own; what the trainer sets there before a run (memory that
is kept, large pages) is set in ours alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path

import torch
from bare_dann import bare_dann
from contestant import Step, race_contestants
from dann_task import SHAPE, Task, build_method, build_networks, draw_task
from pil_dann import pil_dann
from timing import write

from uda.data.augmentation import Augmentation
from uda.data.batches import Batches
from uda.training.capture import make_updates
from uda.training.devices import prepare_device, resolve_device, resolve_precision
from uda.training.probe import Layout, lay_out

OURS = "ours"
#: A peer's name to its function, in the module of the same name, and to what installs the packages behind it.
PEERS = {
    "skada": ("skada_dann", "pip install skada skorch"),
    "pytorch-adapt": ("pytorch_adapt_dann", "pip install pytorch-adapt 'setuptools<81'"),
}


def our_dann(task: Task, precision: str) -> Iterator[None]:
    """Make a step of `Dann` on `Batches`, as the trainer makes it, whenever the next is asked for."""
    prepare_device(task.device)
    method = build_method().to(task.device)
    lay_out(method.train(), Layout())
    batches = Batches(task.source, task.labels, task.target, task.batch_size, Augmentation(), 1, task.device)
    updates = make_updates(method, batches, precision, 1)
    for step in count():
        updates.make(step)
        yield


def bare(task: Task, precision: str) -> Iterator[None]:
    """Make a step of the bare loop."""
    return bare_dann(task, build_networks(), precision == "bf16")


def pil(task: Task, workers: int) -> Iterator[None]:
    """Make a step of the loop that is fed by PIL images."""
    return pil_dann(task, build_networks(), workers)


def peer(task: Task, module: str) -> Iterator[None]:
    """Make a step of a peer, by the function that has its module's name."""
    steps: Iterator[None] = getattr(import_module(module), module)(task, build_networks())
    return steps


def step_of(make: Callable[[], Iterator[None]]) -> Step:
    """Return what makes a contestant's next step."""
    return partial(next, make())


def enter(task: Task, workers: int) -> dict[str, Callable[[], Step]]:
    """Return what builds each contestant's step; say which are left out, and what would bring them in."""
    precision = resolve_precision(str(task.device), "auto")
    makers: dict[str, Callable[[], Iterator[None]]] = {
        OURS: partial(our_dann, task, precision),
        "bare loop": partial(bare, task, precision),
        "PIL loading": partial(pil, task, workers),
    }
    if precision != "fp32":
        makers[f"{OURS} in fp32"] = partial(our_dann, task, "fp32")
    for name, (module, command) in PEERS.items():
        try:
            import_module(module)
        except ImportError as error:
            print(f"{name} is left out, because it cannot be imported ({error}): {command}")
        else:
            makers[name] = partial(peer, task, module)
    return {name: partial(step_of, make) for name, make in makers.items()}


def main() -> None:
    """Read the options, race, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each contestant")
    parser.add_argument("--steps", type=int, default=5, help="steps of a turn")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of torch")
    parser.add_argument("--workers", type=int, default=0, help="processes of each data loader of PIL images")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=Path("results/speed"))
    options = parser.parse_args()
    task = draw_task(resolve_device(options.device))
    timings, note, peak = race_contestants(enter(task, options.workers), 2 * task.batch_size, task.device, options)
    title = f"DANN, DTN, {SHAPE[0]}x{SHAPE[1]}x{SHAPE[2]}, batch 2x{task.batch_size}"
    write(options.out, "dann", {title: timings}, OURS, task.device, {title: note}, peak)


if __name__ == "__main__":
    main()

"""Race our DANN against a bare loop that makes the same update, that loop fed by PIL images, skada and pytorch-adapt.

Run as ``python benchmarks/speed/dann.py``. All learn the same networks (DTN, one hidden layer of 100 for the domains)
with Adam from the same 2,000 colour images of 32x32 of each domain, 128 of each a step, each with its own data loading.
We and the bare loop use the precision that our trainer chooses, all others fp32; a further row shows us in fp32. A peer
that is not installed is left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path

import torch
from bare_dann import bare_dann
from dann_task import SHAPE, Task, build_method, build_networks, draw_task
from matrix_share import matrix_share
from pil_dann import pil_dann
from step_memory import step_memory
from timing import race, write

from uda.data.augmentation import Augmentation
from uda.data.batches import Batches
from uda.training.capture import make_updates
from uda.training.devices import resolve_device, resolve_precision
from uda.training.probe import Layout, lay_out

OURS = "ours"
#: A peer's name to its function, in the module of the same name, and to what installs the packages behind it.
PEERS = {
    "skada": ("skada_dann", "pip install skada skorch"),
    "pytorch-adapt": ("pytorch_adapt_dann", "pip install pytorch-adapt 'setuptools<81'"),
}


def our_dann(task: Task, precision: str) -> Iterator[None]:
    """Make a step of `Dann` on `Batches`, as the trainer makes it, whenever the next is asked for."""
    method = build_method().to(task.device)
    lay_out(method.train(), Layout())
    batches = Batches(task.source, task.labels, task.target, task.batch_size, Augmentation(), 1, task.device)
    updates = make_updates(method, batches, precision, 1)
    for step in count():
        updates.make(step)
        yield


def enter(task: Task, workers: int) -> dict[str, Iterator[None]]:
    """Return the contestants; say which are left out, and what would bring them in."""
    precision = resolve_precision(str(task.device), "auto")
    entered = {
        OURS: our_dann(task, precision),
        "bare loop": bare_dann(task, build_networks(), precision == "bf16"),
        "PIL loading": pil_dann(task, build_networks(), workers),
    }
    if precision != "fp32":
        entered[f"{OURS} in fp32"] = our_dann(task, "fp32")
    for name, (module, command) in PEERS.items():
        try:
            peer = getattr(import_module(module), module)
        except ImportError as error:
            print(f"{name} is left out, because it cannot be imported ({error}): {command}")
        else:
            entered[name] = peer(task, build_networks())
    return entered


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
    torch.set_num_threads(options.threads)
    task = draw_task(resolve_device(options.device))
    steps = {name: partial(next, contestant) for name, contestant in enter(task, options.workers).items()}
    timings = race(steps, 2 * task.batch_size, rounds=options.rounds, steps=options.steps)
    shares = (f"{name} {100 * (1 - matrix_share(step)):.0f} %" for name, step in steps.items())
    memory = (f"{name} {step_memory(step, task.device) / 2**20:.0f} MiB" for name, step in steps.items())
    note = f"Not matrix work: {', '.join(shares)}. Memory of a step at the most: {', '.join(memory)}."
    title = f"DANN, DTN, {SHAPE[0]}x{SHAPE[1]}x{SHAPE[2]}, batch 2x{task.batch_size}"
    write(options.out, "dann", {title: timings}, OURS, task.device, {title: note})


if __name__ == "__main__":
    main()

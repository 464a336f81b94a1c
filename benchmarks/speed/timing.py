"""Contestants timed side by side in one process: interleaved rounds, medians, ratios; JSON and Markdown out."""

from __future__ import annotations

import json
import platform
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from uda.processor import processor_flags
from uda.training.devices import describe_device


@dataclass(frozen=True)
class Timing:
    """What one contestant took.

    Attributes
    ----------
    name
        The contestant.
    images
        Images that a step uses, both domains together.
    milliseconds
        Median over rounds of the mean wall-clock time of a step.
    low, high
        Least and largest round.
    processor_milliseconds
        Median processor time of a step, over all threads of its process.
    """

    name: str
    images: int
    milliseconds: float
    low: float
    high: float
    processor_milliseconds: float

    @property
    def steps_per_second(self) -> float:
        """Steps a second."""
        return 1e3 / self.milliseconds

    @property
    def images_per_second(self) -> float:
        """Images a second."""
        return self.images * self.steps_per_second


def race(
    contestants: Mapping[str, Callable[[int], tuple[float, float]]],
    images: int,
    *,
    rounds: int = 7,
    steps: int = 5,
    warmup: int = 5,
) -> dict[str, Timing]:
    """Time contestants in turn, round by round, so that what the machine does besides befalls all alike.

    Parameters
    ----------
    contestants
        Name to a function that makes a number of training steps, and returns what `turn` does.
    images
        Images that a step uses.
    rounds, steps
        How often each has its turn, and the steps of a turn.
    warmup
        Steps that are made first and not counted: compilation, graph capture, caches.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for make in contestants.values():
        make(warmup)
    for _ in range(rounds):
        for name, make in contestants.items():
            taken[name].append(make(steps))
    return {name: summary(name, images, turns) for name, turns in taken.items()}


def turn(step: Callable[[], object], steps: int) -> tuple[float, float]:
    """Make steps, and return the milliseconds of wall-clock and of processor time that one of them took.

    A step may return before the device is done.
    """
    wait()
    start, started = time.perf_counter(), time.process_time()
    for _ in range(steps):
        step()
    wait()
    return (time.perf_counter() - start) / steps * 1e3, (time.process_time() - started) / steps * 1e3


def summary(name: str, images: int, turns: Sequence[tuple[float, float]]) -> Timing:
    """Return medians and extremes of a contestant's turns."""
    wall, processor = zip(*turns, strict=True)
    return Timing(name, images, statistics.median(wall), min(wall), max(wall), statistics.median(processor))


def wait() -> None:
    """Wait until the accelerator has done what it was given; nothing to do on a CPU."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def machine(device: torch.device, peak: int | None = None) -> dict[str, object]:
    """Describe where the timings were made; ``peak`` bytes were held at the most, by this process if not given."""
    fast = sorted(processor_flags() & {"amx_bf16", "avx512_bf16", "avx512f", "avx2"})
    return {
        **describe_device(device),
        "instruction_sets": fast,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "peak_memory_mib": round((peak_memory(device) if peak is None else peak) / 2**20),
    }


def peak_memory(device: torch.device) -> int:
    """Bytes at the most: of the device for CUDA, of this process else."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def markdown(title: str, timings: Mapping[str, Timing], ours: str, about: Mapping[str, object], note: str = "") -> str:
    """Write a table: each contestant, and how many times as fast ``ours`` is; a note below it."""
    lines = [
        f"### {title}",
        "",
        "| contestant | ms a step (least to most) | processor ms | steps/s | images/s | ours is … times as fast |",
        "| :--- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for t in timings.values():
        ratio = "" if t.name == ours else f"{t.milliseconds / timings[ours].milliseconds:.2f}"
        lines.append(
            f"| {t.name} | {t.milliseconds:.1f} ({t.low:.1f} to {t.high:.1f}) | {t.processor_milliseconds:.1f} "
            f"| {t.steps_per_second:.2f} | {t.images_per_second:.0f} | {ratio} |"
        )
    below = [note, ""] if note else []
    return "\n".join([*lines, "", *below, ", ".join(f"{key} {value}" for key, value in about.items()), ""])


def write(
    out: Path,
    name: str,
    sections: Mapping[str, Mapping[str, Timing]],
    ours: str,
    device: torch.device,
    notes: Mapping[str, str] | None = None,
    peak: int | None = None,
) -> None:
    """Print the tables of all sections, notes below them, and write both to ``out/name.md`` and ``out/name.json``.

    ``peak`` is the most memory of one contestant, in bytes, where each has a process of its own.
    """
    about, notes = machine(device, peak), notes or {}
    text = "\n".join(markdown(title, timings, ours, about, notes.get(title, "")) for title, timings in sections.items())
    print(text)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.md").write_text(text)
    values = {title: [asdict(t) for t in timings.values()] for title, timings in sections.items()}
    everything = {"machine": about, "timings": values, "notes": notes}
    (out / f"{name}.json").write_text(json.dumps(everything, indent=2) + "\n")


def say(out: Path, name: str, text: str, device: torch.device) -> None:
    """Print a finding, and write it to ``out/name.md`` with the machine below it."""
    print(text, end="")
    out.mkdir(parents=True, exist_ok=True)
    about = ", ".join(f"{key} {value}" for key, value in machine(device).items())
    (out / f"{name}.md").write_text(f"{text}\n{about}\n")

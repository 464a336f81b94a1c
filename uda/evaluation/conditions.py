"""The conditions that a run was made under, brought about again as far as this machine can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from uda.evaluation.stored import StoredRun
from uda.training.devices import describe_device, prepare_device, resolve_device
from uda.training.versions import code_version, versions


@dataclass(frozen=True)
class Conditions:
    """Where a run is checked.

    Attributes
    ----------
    device
        The one that it was made on, where there is one like it.
    alike
        Whether device, processor and torch are those of the run: arithmetic is then the same, bit for bit.
    notes
        What differs.
    """

    device: torch.device
    alike: bool
    notes: tuple[str, ...]


@contextmanager
def as_recorded(stored: StoredRun, device: str | None) -> Iterator[Conditions]:
    """Set this process up as the run's was, and put it back afterwards.

    Parameters
    ----------
    stored
        The run.
    device
        Where to check; None for the kind of device that the run was made on, or the processor where there is none.
    """
    made_on = stored.device
    wanted = device or str(made_on.get("type", "cpu"))
    if device is None and wanted == "cuda" and not torch.cuda.is_available():
        wanted = "cpu"
    here = resolve_device(wanted)
    prepare_device(here)
    threads = torch.get_num_threads()
    torch.set_num_threads(int(made_on.get("threads", threads)))
    try:
        yield _conditions(stored, here)
    finally:
        torch.set_num_threads(threads)


def _conditions(stored: StoredRun, device: torch.device) -> Conditions:
    now = describe_device(device)
    pairs = [(str(stored.device.get(key, "unknown")), str(now[key])) for key in ("type", "name")]
    made = stored.about.get("versions", {}).get("torch", "unknown")
    pairs.append((f"torch {made}", f"torch {versions()['torch']}"))
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    code = stored.about.get("code_version", "unknown")
    told = [*differing, *([(f"uda {code}", f"uda {code_version()}")] if code != code_version() else [])]
    return Conditions(device, not differing, tuple(f"made with {then}, checked with {here}" for then, here in told))

"""A stored run made again, from its config alone, and compared with what is stored."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from uda.atomic import write_json
from uda.evaluation.conditions import Conditions
from uda.evaluation.finding import Finding
from uda.evaluation.recheck import WEIGHTS
from uda.evaluation.stored import StoredRun, read_stored_run
from uda.training.checkpoint import stored_pick
from uda.training.run import train

#: What differs between two runs of one config by its nature.
_MEASURED = ("seconds",)
_RESULTS = {
    "accuracy, last step": "accuracy_last",
    "accuracy, validator's pick": "accuracy_validator",
    "accuracy, oracle's pick": "accuracy_oracle",
    "step, validator's pick": "validator_step",
    "step, oracle's pick": "oracle_step",
}


def retrain(stored: StoredRun, root: Path, conditions: Conditions, *, quiet: bool = False) -> list[Finding]:
    """Make a run again in a folder of its own, which is removed afterwards, and compare.

    It is made on the given device, in the precision, the memory layout and with the threads of the stored run. All must
    be the very same: there is no tolerance, because small differences grow with each update.

    Raises
    ------
    UserError
        As `uda.training.run.train`.
    """
    config = stored.config
    with tempfile.TemporaryDirectory(prefix="uda-verify-") as place:
        folder = Path(place) / config.name
        folder.mkdir()
        # a run that finds its layout written down does not probe for another
        begun = {"config": config.to_dict(), "config_hash": config.hash, "layout": asdict(stored.layout)}
        write_json(folder / "run.json", begun)
        train(config, root, Path(place), device=str(conditions.device), command="uda verify --retrain", quiet=quiet)
        again = read_stored_run(folder)
    findings = [
        compare_weights(f"retrained weights, {name}", _model(stored, which), _model(again, which))
        for which, (name, _, _) in WEIGHTS.items()
    ]
    findings.append(compare_lines(stored.lines, again.lines))
    found = [(item, stored.result[key], again.result[key]) for item, key in _RESULTS.items()]
    return findings + [_result(item, then, now) for item, then, now in found if then is not None or now is not None]


def compare_weights(item: str, recorded: Mapping[str, Tensor], now: Mapping[str, Tensor]) -> Finding:
    """Compare tensors by name, bit for bit; say how many differ, and by how much at the most."""
    shapes = [{name: tuple(tensor.shape) for name, tensor in each.items()} for each in (recorded, now)]
    if shapes[0] != shapes[1]:
        return Finding(item, False, f"{len(recorded)} tensors recorded, {len(now)} of other names or shapes now")
    gaps = {name: recorded[name].double() - now[name].double() for name in recorded}
    other = {name: gap for name, gap in gaps.items() if not recorded[name].equal(now[name])}
    if not other:
        return Finding(item, True, f"{len(recorded)} tensors")
    largest = max(float(gap.abs().max()) for gap in other.values())
    return Finding(item, False, f"{len(other)} of {len(recorded)} tensors differ, by {largest:.3g} at the most")


def compare_lines(recorded: list[dict[str, Any]], now: list[dict[str, Any]]) -> Finding:
    """Compare every number of ``metrics.jsonl`` that was recorded, the time apart; say where the first differs."""
    item = "retrained metrics"
    if [line["step"] for line in recorded] != [line["step"] for line in now]:
        return Finding(item, False, f"{len(recorded)} evaluations recorded, {len(now)} or at other steps now")
    differing = []
    for then, here in zip(recorded, now, strict=True):
        numbers = dict(_numbers(here))
        for name, value in _numbers(then):
            if not _equal(value, numbers.get(name)):
                differing.append((then["step"], name, value, numbers.get(name)))
    total = sum(1 for line in recorded for _ in _numbers(line))
    if not differing:
        return Finding(item, True, f"{total} numbers of {len(recorded)} evaluations")
    step, name, value, other = differing[0]
    first = f"first at step {step:,}: {name} {value} recorded, {other} now"
    return Finding(item, False, f"{len(differing)} of {total} numbers differ, {first}")


def _result(item: str, recorded: float | None, now: float | None) -> Finding:
    text = f"{now}" if recorded == now else f"{recorded} recorded, {now} now"
    return Finding(f"retrained {item}", recorded == now, text)


def _numbers(line: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Walk the numbers of an evaluation, those of ``terms`` and ``validators`` under dotted names."""
    for key, value in line.items():
        if isinstance(value, dict):
            yield from _numbers(value, f"{prefix}{key}.")
        elif key not in _MEASURED:
            yield prefix + key, value


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def _model(stored: StoredRun, which: str) -> dict[str, Tensor]:
    pick = stored_pick(stored.checkpoint, stored.config) if which == "pick" else None
    model: dict[str, Tensor] = stored.checkpoint["model"] if pick is None else pick.model
    return model

"""A stored run evaluated again: its data, its record, and what its weights make of the test images."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import Tensor

from uda.data.protocols import TaskData, load_task
from uda.evaluation.conditions import Conditions
from uda.evaluation.finding import Finding
from uda.evaluation.history import pick, pickable, read_history
from uda.evaluation.series import Predictions
from uda.evaluation.stored import StoredRun
from uda.metrics.correctness import unpack
from uda.training.checkpoint import load_model
from uda.training.probe import lay_out
from uda.training.record import changed_files
from uda.training.scoring import predict_logits

#: On another kind of device, so many of the images may be classified otherwise (one at least): sums are rounded in
#: another order there, which turns images that lie between two classes.
TOLERANCE = 0.002

WEIGHTS: dict[Literal["last", "pick"], tuple[str, str, str]] = {
    "last": ("last step", "accuracy_last", "correct_last"),
    "pick": ("validator's pick", "accuracy_validator", "correct_validator"),
}


def recheck(stored: StoredRun, root: Path, conditions: Conditions) -> list[Finding]:
    """Evaluate a stored run again.

    On the kind of device that it was made on, every number must be the very same; elsewhere `TOLERANCE` holds.

    Raises
    ------
    UserError
        For missing data, or a checkpoint that this version cannot read.
    """
    config = stored.config
    task = load_task(config.protocol, config.source, config.target, root)
    findings = [_data(stored, task), _record(stored)]
    for which in WEIGHTS:
        method, _ = load_model(stored.folder / "checkpoint.pt", which)
        method.to(conditions.device)
        lay_out(method, stored.layout)
        predicted = predict_logits(method, task.target_test.images).argmax(1)
        if stored.scored:
            findings += _weights(stored, which, predicted, task.target_test.labels, conditions.alike)
        elif stored.predictions:
            allowed = _allowed(len(predicted), conditions.alike)
            findings.append(_predictions(stored.predictions, which, predicted, task.target_test.labels, allowed))
    return findings


def _data(stored: StoredRun, task: TaskData) -> Finding:
    """Compare the files that the run read with those that are there."""
    changed = changed_files(stored.about, task.files)
    text = f"other contents: {', '.join(changed)}" if changed else f"{len({file.name for file in task.files})} files"
    return Finding("data files", not changed, text)


def _record(stored: StoredRun) -> Finding:
    """Check that ``result.json`` says what ``metrics.jsonl`` says."""
    result, checkpoints = stored.result, read_history(stored.folder)
    choice = pickable(checkpoints, stored.config.method)
    picked = pick(choice, stored.config.validator)
    logged: dict[str, Any] = {"steps": checkpoints[-1].step, "validator_step": picked.step}
    if stored.scored:
        best = max(choice, key=lambda checkpoint: checkpoint.accuracy)
        logged |= {"accuracy_last": checkpoints[-1].accuracy, "accuracy_validator": picked.accuracy}
        logged |= {"oracle_step": best.step, "accuracy_oracle": best.accuracy}
    other = [f"{key} {result.get(key)}, logged {value}" for key, value in logged.items() if result.get(key) != value]
    return Finding("result.json", not other, "; ".join(other) or f"as logged at {len(checkpoints)} evaluations")


def _weights(
    stored: StoredRun, which: Literal["last", "pick"], predicted: Tensor, labels: Tensor, alike: bool
) -> list[Finding]:
    """Compare what one set of weights makes of the test images with what was recorded."""
    name, accuracy_key, correct_key = WEIGHTS[which]
    n, right = len(labels), predicted == labels
    if n != stored.result["n_test"]:
        text = f"recorded of {stored.result['n_test']:,} test images, but the test split has {n:,} now"
        return [Finding(f"accuracy, {name}", False, text)]
    allowed = _allowed(n, alike)
    recorded, now = stored.result[accuracy_key], 100.0 * int(right.sum()) / n
    apart = round(abs(recorded - now) * n / 100.0)
    same = recorded == now if alike else apart <= allowed
    text = f"{now:.2f} % of {n:,} images" if recorded == now else f"{recorded} % recorded, {now} % now"
    findings = [Finding(f"accuracy, {name}", same, text)]
    if stored.result.get(correct_key):
        then = unpack(stored.result[correct_key], n)
        findings.append(_images(f"right images, {name}", int((then != right).sum()), n, allowed))
    if stored.predictions:
        findings.append(_predictions(stored.predictions, which, predicted, labels, allowed))
    return findings


def _allowed(n: int, alike: bool) -> int:
    """Return how many of n images may be classified otherwise."""
    return 0 if alike else max(1, math.floor(TOLERANCE * n))


def _predictions(
    recorded: Predictions, which: Literal["last", "pick"], predicted: Tensor, labels: Tensor, allowed: int
) -> Finding:
    item = f"predictions, {WEIGHTS[which][0]}"
    if not np.array_equal(recorded.labels, labels.numpy()):
        return Finding(item, False, "of other images: the true labels are not those of the test split")
    then = recorded.last if which == "last" else recorded.pick
    return _images(item, int((then != predicted.numpy()).sum()), len(labels), allowed)


def _images(item: str, differing: int, n: int, allowed: int) -> Finding:
    text = f"{differing:,} of {n:,} images differ" if differing else f"all {n:,} images"
    return Finding(item, differing <= allowed, text + (f" ({allowed:,} may)" if differing and allowed else ""))

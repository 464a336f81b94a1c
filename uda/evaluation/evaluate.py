"""Evaluate a checkpoint on the target test split: accuracy, accuracy of each class, confusion."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from uda.data.protocols import load_task
from uda.errors import UserError
from uda.evaluation.labels import method_label, pair_label
from uda.metrics.accuracy import accuracy, confusion_matrix, per_class_accuracy
from uda.training.checkpoint import load_model
from uda.training.scoring import predict_logits


@dataclass(frozen=True)
class ClassAccuracy:
    """One class: its name, number of test images, and accuracy among them in percent (None without images)."""

    name: str
    n: int
    accuracy: float | None


@dataclass(frozen=True)
class Evaluation:
    """What a checkpoint does on the target test split.

    Attributes
    ----------
    method, preset, source, target, protocol, seed
        The run that it comes from.
    weights, step
        Which of its weights, and after which step.
    accuracy
        Percent, unrounded.
    n_test
        Number of test images.
    classes
        In label order.
    confusion
        Counts; row: true class, column: predicted class.
    notes
        What must be said beside the number.
    """

    method: str
    preset: str
    source: str
    target: str
    protocol: str
    seed: int
    weights: str
    step: int
    accuracy: float
    n_test: int
    classes: tuple[ClassAccuracy, ...]
    confusion: tuple[tuple[int, ...], ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values only, ready for JSON."""
        return asdict(self)


def evaluate(path: Path, weights: Literal["last", "pick"], root: Path) -> Evaluation:
    """Evaluate a checkpoint as its run did: the same images, the same arithmetic.

    Parameters
    ----------
    path
        ``checkpoint.pt`` of a run; nothing else of the run is needed.
    weights
        Those of the last step or of the validator's pick.
    root
        The data root.

    Raises
    ------
    UserError
        For a file that is no checkpoint of ours, missing data, or data whose classes are not the checkpoint's.
    """
    method, loaded = load_model(path, weights)
    config = loaded.config
    task = load_task(config.protocol, config.source, config.target, root)
    if tuple(loaded.class_names) != task.class_names:
        raise UserError(
            f"{path}: was trained on the classes {', '.join(loaded.class_names)}, but {config.target} under {root} has "
            f"{', '.join(task.class_names)}; give the data that it was trained on"
        )
    labels = task.target_test.labels
    # The memory layout that runs train and score in: other layouts round differently.
    logits = predict_logits(method.to(memory_format=torch.channels_last), task.target_test.images)
    confusion = confusion_matrix(logits, labels)
    classes = zip(
        task.class_names, confusion.sum(dim=1).tolist(), per_class_accuracy(logits, labels).tolist(), strict=True
    )
    return Evaluation(
        method=config.method,
        preset=config.preset,
        source=config.source,
        target=config.target,
        protocol=config.protocol,
        seed=config.seed,
        weights=weights,
        step=loaded.step,
        accuracy=accuracy(logits, labels),
        n_test=len(labels),
        classes=tuple(ClassAccuracy(name, n, None if math.isnan(value) else value) for name, n, value in classes),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        notes=task.notes,
    )


def format_evaluation(evaluation: Evaluation) -> str:
    """Write an evaluation as plain text: a summary, the classes, and the confusion matrix."""
    e = evaluation
    pick = "last step" if e.weights == "last" else "validator's pick"
    run = f"{method_label(e.method)} ({e.preset}), {pair_label((e.source, e.target))}"
    lines = [
        f"{run}, protocol {e.protocol}, seed {e.seed}",
        f"weights: {pick}, step {e.step:,}",
        f"accuracy on target test: {e.accuracy:.2f} % of {e.n_test:,} images",
        *(f"note: {note}" for note in e.notes),
        "",
    ]
    name_width = max(len("class"), *(len(entry.name) for entry in e.classes))
    lines.append(f"{'class'.ljust(name_width)}  {'images':>7}  {'accuracy':>8}")
    for entry in e.classes:
        value = "–" if entry.accuracy is None else f"{entry.accuracy:.2f}"
        lines.append(f"{entry.name.ljust(name_width)}  {entry.n:>7,}  {value:>8}")
    width = max(len(str(count)) for row in e.confusion for count in row)
    width = max(width, *(len(entry.name) for entry in e.classes))
    header = "  ".join(entry.name.rjust(width) for entry in e.classes)
    lines += ["", "confusion (row: true class, column: predicted)", f"{' ' * name_width}  {header}"]
    for entry, row in zip(e.classes, e.confusion, strict=True):
        lines.append(f"{entry.name.ljust(name_width)}  " + "  ".join(str(count).rjust(width) for count in row))
    return "\n".join(lines)

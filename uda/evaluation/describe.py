"""An evaluation as plain text: a summary, the classes, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

from uda.evaluation.evaluate import ClassAccuracy, Evaluation
from uda.evaluation.labels import method_label, pair_label


def describe_evaluation(evaluation: Evaluation) -> str:
    """Write an evaluation for people: percent to two places, shares to four."""
    e = evaluation
    pick = "last step" if e.weights == "last" else "validator's pick"
    run = f"{method_label(e.method)} ({e.preset}), {pair_label((e.source, e.target))}"
    low, high = e.interval
    c = e.calibration
    lines = [
        f"{run}, protocol {e.protocol}, seed {e.seed}",
        f"weights: {pick}, step {e.step:,}",
        f"accuracy on {e.images}: {e.accuracy:.2f} % of {e.n_test:,} images (95 % interval {low:.2f} to {high:.2f})",
        f"calibration error: {c.ece:.4f} over 15 bins of equal width, {c.ece_equal_mass:.4f} over bins of equal mass",
        f"negative log-likelihood: {c.nll:.4f} nats; Brier score: {c.brier:.4f}",
        *(f"note: {note}" for note in e.notes),
        "",
        *_class_lines(e.classes),
        "",
        "confusion (row: true class, column: predicted)",
        *_confusion_lines([entry.name for entry in e.classes], e.confusion),
    ]
    return "\n".join(lines)


def _class_lines(classes: Sequence[ClassAccuracy]) -> list[str]:
    width = max(len("class"), *(len(entry.name) for entry in classes))
    lines = [f"{'class'.ljust(width)}  {'images':>7}  {'accuracy':>8}  95 % interval"]
    for entry in classes:
        if entry.accuracy is None or entry.interval is None:
            lines.append(f"{entry.name.ljust(width)}  {entry.n:>7,}  {'–':>8}")
        else:
            low, high = entry.interval
            lines.append(f"{entry.name.ljust(width)}  {entry.n:>7,}  {entry.accuracy:>8.2f}  {low:.2f} to {high:.2f}")
    return lines


def _confusion_lines(names: Sequence[str], confusion: Sequence[Sequence[int]]) -> list[str]:
    indent = max(len("class"), *(len(name) for name in names))
    width = max(*(len(str(count)) for row in confusion for count in row), *(len(name) for name in names))
    lines = [f"{' ' * indent}  {'  '.join(name.rjust(width) for name in names)}"]
    for name, row in zip(names, confusion, strict=True):
        lines.append(f"{name.ljust(indent)}  " + "  ".join(str(count).rjust(width) for count in row))
    return lines

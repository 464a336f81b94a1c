"""Run folders of imaginary runs with what they logged and predicted."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.evaluation.examples import result, write_run
from uda.evaluation.runs import RunResult, find_runs
from uda.evaluation.series import Series, collect


def log(
    folder: Path,
    accuracies: Mapping[int, float],
    terms: Mapping[str, Sequence[float]] | None = None,
    scores: Mapping[str, Sequence[float]] | None = None,
) -> None:
    """Write ``metrics.jsonl``: an accuracy by step, and of each term and validator a value per evaluation."""
    lines = [
        {
            "step": step,
            "seconds": 1.0,
            "terms": {name: values[place] for name, values in (terms or {}).items()},
            "validators": {name: values[place] for name, values in (scores or {}).items()},
            "target_test_accuracy": accuracy,
        }
        for place, (step, accuracy) in enumerate(accuracies.items())
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def predict(folder: Path, labels: Sequence[int], last: Sequence[int], pick: Sequence[int]) -> None:
    np.savez(folder / "predictions.npz", labels=np.array(labels), last=np.array(last), pick=np.array(pick))


def logged_run(folder: Path, run: RunResult, *accuracies: float) -> Path:
    """Write a run folder with an evaluation every 100 steps, a term, a validator, and predictions of 3 classes."""
    write_run(folder, run)
    terms = {"classification": [1.0 / (1 + place) for place in range(len(accuracies))]}
    scores = {"entropy": [accuracy / 100 for accuracy in accuracies], "diversity": [-a for a in accuracies]}
    log(folder, {100 * (1 + place): accuracy for place, accuracy in enumerate(accuracies)}, terms, scores)
    labels = np.arange(30) % 3
    predicted = np.where(np.arange(30) < 0.3 * accuracies[-1], labels, (labels + 1) % 3)
    predict(folder, labels.tolist(), predicted.tolist(), labels.tolist())
    return folder


def three_methods(folder: Path, pairs: Sequence[tuple[str, str]] = (("mnist", "usps"), ("usps", "mnist"))) -> Path:
    """Write two seeds of three methods on some pairs."""
    for source, target in pairs:
        for rise, method in ((0.0, "source-only"), (10.0, "dann"), (20.0, "unit")):
            for seed in (1, 2):
                reached = [60.0 + rise + seed, 65.0 + rise + 2 * seed, 70.0 + rise + 3 * seed]
                run = result(
                    method=method,
                    source=source,
                    target=target,
                    seed=seed,
                    accuracy_last=reached[-1],
                    accuracy_validator=reached[-1],
                    accuracy_oracle=reached[-1],
                )
                logged_run(folder / f"{source}-{target}-{method}-{seed}", run, *reached)
    return folder


def series_of(*paths: Path) -> tuple[Series, ...]:
    found = find_runs(paths)
    return collect(found.results, found.folders)

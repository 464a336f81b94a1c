"""What a finished run found: the columns of ``runs.csv``, and the checks that make a row of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from uda.methods import only_at_end
from uda.metrics.correctness import unpack


@dataclass(frozen=True)
class RunResult:
    """What a finished run found: one row of ``runs.csv``.

    Attributes
    ----------
    method, preset, source, target, protocol, seed, steps
        What was run.
    accuracy_last, accuracy_validator, accuracy_oracle
        Target test accuracy in percent at the last step, at the validator's pick and at its best (the oracle's); not a
        number where the target's test images have no labels.
    validator, validator_step, oracle_step
        The label-free validator, the step that it picked, and the oracle's; 0 where there is no oracle.
    n_test
        Number of target test images.
    device, precision, seconds, steps_per_second
        How it was run.
    config_hash, code_version
        What names it.
    notes
        Joined by ``"; "``; may be empty.
    settings
        Hash of the settings that have no attribute here (batch size, augmentation, the method's own); empty where a
        folder holds a result alone.
    correct_last, correct_validator
        Which target test images were classified right at the last step and at the validator's pick, as
        `uda.metrics.correctness.pack` writes it; empty where that is not known.
    data
        Hash of the checksums of the files that were read; empty where that is not known.
    """

    method: str
    preset: str
    source: str
    target: str
    protocol: str
    seed: int
    steps: int
    accuracy_last: float
    accuracy_validator: float
    accuracy_oracle: float
    validator: str
    validator_step: int
    oracle_step: int
    n_test: int
    device: str
    precision: str
    seconds: float
    steps_per_second: float
    config_hash: str
    code_version: str
    notes: str
    settings: str = field(default="", compare=False)
    correct_last: str = field(default="", compare=False, repr=False)
    correct_validator: str = field(default="", compare=False, repr=False)
    data: str = field(default="", compare=False, repr=False)

    @property
    def pair(self) -> tuple[str, str]:
        """(source, target)."""
        return self.source, self.target

    @property
    def scored(self) -> bool:
        """Whether there are accuracies."""
        return not math.isnan(self.accuracy_last)


COLUMNS = tuple(f.name for f in fields(RunResult))
#: The three of a run.
ACCURACIES = ("accuracy_last", "accuracy_validator", "accuracy_oracle")
#: Columns that results of older versions do not have; they come last.
LATER_COLUMNS = ("correct_last", "correct_validator", "data")
#: What there is none of where no target test image has a label, and what stands for it.
_UNSCORED: dict[str, Any] = {**dict.fromkeys(ACCURACIES, math.nan), "oracle_step": 0}

#: Of a method that its last step makes: what is that of the last step by definition, and where that stands.
_AT_END = {
    **dict.fromkeys(("accuracy_validator", "accuracy_oracle"), "accuracy_last"),
    **dict.fromkeys(("validator_step", "oracle_step"), "steps"),
    "correct_validator": "correct_last",
}

_TYPES = {f.name: {"str": str, "int": int, "float": float}[str(f.type)] for f in fields(RunResult)}
_WORDS = {int: "a whole number", float: "a number"}


def as_picked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of one result, with the last step for pick and oracle where that makes the method.

    Older versions chose there among evaluations of what was not the method yet.
    """
    late = isinstance(values.get("method"), str) and only_at_end(values["method"])
    known = {key: last for key, last in _AT_END.items() if values.get(key) is not None and last in values}
    return {**values, **({key: values[last] for key, last in known.items()} if late else {})}


def to_result(values: Mapping[str, Any]) -> RunResult:
    """Check and convert the values of one result, with pick and oracle by `as_picked`.

    Raises
    ------
    ValueError
        What is wrong with which column, as the rest of a sentence that begins with where it stands.
    """
    values = as_picked(values)
    unscored = _UNSCORED if all(column in values and values[column] is None for column in _UNSCORED) else {}
    converted = {column: _convert(column, values.get(column)) for column in COLUMNS if column not in unscored}
    for accuracy in () if unscored else ACCURACIES:
        if not 0.0 <= converted[accuracy] <= 100.0:
            raise ValueError(f"{accuracy} is {values[accuracy]!r}, not a percentage in 0..100")
    if converted["n_test"] < 1:
        raise ValueError(f"n_test is {values['n_test']!r}, but there must be a test image")
    result = RunResult(**converted, **unscored)
    for which in ("last", "validator"):
        _check_correct(result, which)
    return result


def _convert(column: str, value: Any) -> Any:
    if value is None and column in LATER_COLUMNS:
        return ""
    if value is None:
        raise ValueError(f"has no {column!r}; it was not written by a finished run")
    wanted = _TYPES[column]
    try:
        converted = wanted(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{column} is {value!r}, not {_WORDS[wanted]}") from error
    if wanted is float and not math.isfinite(converted):
        raise ValueError(f"{column} is {value!r}, not a finite number")
    return converted


def _check_correct(result: RunResult, which: str) -> None:
    """Demand that the images said to be right are as many as the accuracy says."""
    text, accuracy = getattr(result, f"correct_{which}"), getattr(result, f"accuracy_{which}")
    if not text:
        return
    try:
        right = int(unpack(text, result.n_test).sum())
    except ValueError as error:
        raise ValueError(f"correct_{which} {error}") from error
    if not math.isclose(100.0 * right / result.n_test, accuracy, abs_tol=1e-6):
        images = f"{right:,} of {result.n_test:,} images"
        raise ValueError(f"correct_{which} has {images} right, which is not accuracy_{which}: {accuracy}")

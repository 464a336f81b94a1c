"""Which validators there are, what they may see, and that they see nothing else."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec

import torch
from torch import Tensor

from uda.errors import unknown

#: All that a validator may name as an argument. Labels are those of source images alone.
VISIBLE = (
    "source_train_features",
    "source_train_labels",
    "source_val_features",
    "source_val_logits",
    "source_val_labels",
    "target_train_features",
    "target_train_logits",
    "target_augmented_logits",
    "target_mixed_logits",
    "target_mixed_partner",
)

#: The score of a model whose outputs are not finite, and the least that any validator returns.
FAILED = -1e6

P = ParamSpec("P")

VALIDATORS: dict[str, Callable[..., float]] = {}
DERIVED: dict[str, Callable[..., Tensor]] = {}


def validator(name: str) -> Callable[[Callable[P, float]], Callable[P, float]]:
    """Register a function of tensors as the validator of that name.

    What it may see is said by its argument names: those in `VISIBLE`, and quantities that are `derived` from them.
    It is handed only finite numbers: where an input or the score is not finite, the score is `FAILED`.

    Raises
    ------
    ValueError
        For an argument name that is neither visible nor derived, such as any target label's, and for a name that
        is taken.
    """

    def register(function: Callable[P, float]) -> Callable[P, float]:
        _check_arguments(function)
        if name in VALIDATORS:
            raise ValueError(f"there is a validator {name!r} already")

        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> float:
            if not _all_finite(*args, *kwargs.values()):
                return FAILED
            score = function(*args, **kwargs)
            return max(score, FAILED) if math.isfinite(score) else FAILED

        VALIDATORS[name] = guarded
        return guarded

    return register


def derived(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Register what several validators need and is dear to compute: they name it as an argument, by its own name.

    Where an input is not finite, it is a NaN, so that the score is `FAILED`.

    Raises
    ------
    ValueError
        As for `validator`.
    """
    _check_arguments(function)
    name = function.__name__
    if name in VISIBLE or name in DERIVED:
        raise ValueError(f"there is a quantity {name!r} already")

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        return function(*args, **kwargs) if _all_finite(*args, *kwargs.values()) else torch.tensor(math.nan)

    DERIVED[name] = guarded
    return guarded


def find_validator(name: str) -> Callable[..., float]:
    """Return the validator of that name, or raise `UserError` naming the nearest one."""
    if name not in VALIDATORS:
        raise unknown("validator", name, VALIDATORS)
    return VALIDATORS[name]


def validate(outputs: Mapping[str, Tensor]) -> dict[str, float]:
    """Score one model with every validator.

    Parameters
    ----------
    outputs
        A tensor on the CPU for each name in `VISIBLE` and for no other; each validator is handed those that it
        names. N target images, M held-out source images, K classes, F features:
        ``source_train_features`` (N', F) and ``source_train_labels`` (N',); ``source_val_features`` (M, F),
        ``source_val_logits`` (M, K) and ``source_val_labels`` (M,); ``target_train_features`` (N, F) and
        ``target_train_logits`` (N, K); ``target_augmented_logits`` (N, K) of the same target images, shifted and
        sheared at random; ``target_mixed_logits`` (N, K) of each target image mixed with its partner by
        `uda.metrics.validators.mixing.MIX`, and ``target_mixed_partner`` (N,) int64, the partner's index.

    Returns
    -------
    dict
        Name of each validator to its score: finite, and larger is better.

    Raises
    ------
    ValueError
        Where a name is missing, or where there is one that no validator may see.
    """
    if set(outputs) != set(VISIBLE):
        raise ValueError(
            f"validators see exactly {', '.join(VISIBLE)}: "
            f"missing {sorted(set(VISIBLE) - set(outputs))}, not allowed {sorted(set(outputs) - set(VISIBLE))}"
        )
    known = dict(outputs)
    return {name: function(**_arguments(function, known)) for name, function in VALIDATORS.items()}


def _arguments(function: Callable[..., Any], known: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what a function names, and keep in ``known`` what had to be derived for it."""
    wanted = inspect.signature(function).parameters
    for name in wanted:
        if name not in known:
            known[name] = DERIVED[name](**_arguments(DERIVED[name], known))
    return {name: known[name] for name in wanted}


def _check_arguments(function: Callable[..., Any]) -> None:
    for name in inspect.signature(function).parameters:
        if name not in VISIBLE and name not in DERIVED:
            raise ValueError(
                f"{function.__name__} asks for {name!r}, which no validator may see; "
                f"visible are {', '.join((*VISIBLE, *DERIVED))}"
            )


def _all_finite(*tensors: object) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors if isinstance(tensor, Tensor))

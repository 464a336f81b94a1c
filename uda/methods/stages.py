"""What methods with a source stage and a target stage share: where the second begins, and the terms of both."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from uda.errors import UserError


def check_share(name: str, share: float) -> None:
    """Raise a `UserError` unless a setting is a share of a run's steps: at least 0, below 1."""
    if not 0.0 <= share < 1.0:
        raise UserError(f"{name} is {share}: it is a share of the run's steps and must be at least 0 and below 1")


def all_terms(names: Iterable[str], terms: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the terms of an update under the names of all stages; those that its stage does not have are zero.

    Parameters
    ----------
    names
        Of the terms of every stage, in their order.
    terms
        At least one of them: scalars.
    """
    (first, *_) = terms.values()
    return {name: terms[name] if name in terms else first.new_zeros(()) for name in names}

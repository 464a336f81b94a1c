"""What methods with more than one stage share: how long the source stage takes, and the terms of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor

from uda.errors import UserError
from uda.methods.classifier import ClassifierConfig, ClassifierMethod


def check_share(name: str, share: float) -> None:
    """Raise a `UserError` unless a setting is a share of a run's steps: at least 0, below 1."""
    if not 0.0 <= share < 1.0:
        raise UserError(f"{name} is {share}: it is a share of the run's steps and must be at least 0 and below 1")


@dataclass(frozen=True)
class SourceStageConfig(ClassifierConfig):
    """Settings of methods that learn to classify the source first, and adapt what they have learnt.

    Attributes
    ----------
    source_share
        Share of the run's steps that the source stage takes.
    """

    source_share: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share("source_share", self.source_share)


class SourceStageMethod(ClassifierMethod):
    """A classifier whose first stage is the source's, and whose second one adapts it."""

    @property
    def starts(self) -> tuple[int, ...]:
        """The source stage begins at 0, the other after the source's share of the steps."""
        return (0, round(self.config.source_share * self.task.steps))


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

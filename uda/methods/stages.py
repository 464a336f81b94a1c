"""What methods with more than one stage share: how long the source stage takes, and the terms of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor

from uda.methods.classifier import ClassifierConfig, ClassifierMethod
from uda.methods.ranges import Share


def steps_of(share: float, steps: int) -> int:
    """Return the steps that a first stage takes of a run's: at least one where it has a share, and never all."""
    return min(max(round(share * steps), 1 if share else 0), steps - 1)


@dataclass(frozen=True)
class SourceStageConfig(ClassifierConfig):
    """Settings of methods that learn to classify the source first, and adapt what they have learnt.

    Attributes
    ----------
    source_share
        Share of the run's steps that the source stage takes.
    """

    source_share: Share = 0.3


class SourceStageMethod(ClassifierMethod):
    """A classifier whose first stage is the source's, and whose second one adapts it."""

    @property
    def starts(self) -> tuple[int, ...]:
        """The source stage begins at 0, the other after the source's share of the steps."""
        return (0, steps_of(self.config.source_share, self.task.steps))


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

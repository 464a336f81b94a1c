"""Two checkpoints on the same images: which is right where the other is not, and whether that can be chance."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from uda.errors import UserError
from uda.evaluation.classify import Classified
from uda.evaluation.labels import method_label, pair_label
from uda.metrics.accuracy import accuracy
from uda.metrics.significance import mcnemar


@dataclass(frozen=True)
class Comparison:
    """What an exact McNemar test finds between two checkpoints.

    Attributes
    ----------
    checkpoint, run, weights, step
        The other checkpoint, the run that it comes from, which of its weights, and after which step.
    accuracy, other_accuracy
        Percent.
    only_this, only_other
        Images that one is right about and the other is not: all that the test looks at.
    p
        Two-sided: how likely a split of those images at least as uneven is, if both models are equally good.
    """

    checkpoint: str
    run: str
    weights: str
    step: int
    accuracy: float
    other_accuracy: float
    only_this: int
    only_other: int
    p: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values only, ready for JSON."""
        return asdict(self)


def compare(this: Classified, other: Classified) -> Comparison:
    """Compare two checkpoints image by image.

    Raises
    ------
    UserError
        Where they were not evaluated on the same images.
    """
    _check_same_images(this, other)
    config = other.loaded.config
    run = f"{method_label(config.method)} ({config.preset}), {pair_label((config.source, config.target))}"
    return Comparison(
        checkpoint=str(other.path),
        run=f"{run}, protocol {config.protocol}, seed {config.seed}",
        weights=other.weights,
        step=other.loaded.step,
        accuracy=accuracy(this.logits, this.labels),
        other_accuracy=accuracy(other.logits, other.labels),
        only_this=int((this.correct & ~other.correct).sum()),
        only_other=int((other.correct & ~this.correct).sum()),
        p=mcnemar(this.correct, other.correct),
    )


def describe_comparison(comparison: Comparison) -> str:
    """Write a comparison for people."""
    c = comparison
    difference = c.accuracy - c.other_accuracy
    return "\n".join(
        (
            f"against {c.checkpoint}: {c.run}, step {c.step:,}",
            f"accuracy: {c.accuracy:.2f} % here, {c.other_accuracy:.2f} % there, difference {difference:+.2f}",
            f"right here alone: {c.only_this:,} images; right there alone: {c.only_other:,} images",
            f"exact McNemar test, two-sided: p = {c.p:.3g}",
        )
    )


def _check_same_images(this: Classified, other: Classified) -> None:
    mine, theirs = this.chosen, other.chosen
    where = [f"{each.domain} {each.split_name} ({len(each.split):,} images)" for each in (mine, theirs)]
    same = (
        (mine.domain, mine.split_name, sorted(mine.split.class_names))
        == (theirs.domain, theirs.split_name, sorted(theirs.split.class_names))
        and len(mine.split) == len(theirs.split)
        and _names(this) == _names(other)
    )
    if not same:
        raise UserError(
            f"{this.path} was evaluated on {where[0]} and {other.path} on {where[1]}: a paired test needs the same "
            "images; give checkpoints of one pair and protocol, or a --domain and --split that both can be tested on"
        )


def _names(classified: Classified) -> list[str]:
    names = classified.chosen.split.class_names
    return [names[label] for label in classified.labels.tolist()]

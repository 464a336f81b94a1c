"""Which images a checkpoint is evaluated on: any split of any domain, in the size and channels that it learnt from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from uda.data.domains import Split, find_domain, in_order, load_split, require_labels
from uda.data.protocols import find_protocol, load_task, target_training_labels
from uda.data.shaping import fit_channels, resize
from uda.errors import UserError
from uda.evaluation.labels import domain_labels
from uda.methods import TaskShape
from uda.training.checkpoint import LoadedCheckpoint
from uda.training.config import RunConfig

Side = Literal["source", "target"]

#: Splits of a run's own domains that its protocol shapes; what a domain has besides is taken as released.
OWN_SPLITS = {"source": ("train", "val", "test"), "target": ("train", "test")}
#: What an evaluation needs labels for.
COMPARES = "an evaluation compares with (see uda predict)"


@dataclass(frozen=True)
class Choice:
    """What to evaluate on.

    Attributes
    ----------
    domain
        Any domain; None for the run's target.
    split
        Of the domain: ``"test"``, ``"train"`` or whatever else it has; ``"val"`` for the images of the run's source
        that its validators see. Of the run's own domains, ``"train"`` is what it was trained on: the protocol's subset,
        repeats and inverted copies.
    side
        Whose size, channels and networks the images go through; None for the source's where it is the run's source,
        else the target's.
    """

    domain: str | None = None
    split: str = "test"
    side: Side | None = None


@dataclass(frozen=True)
class ChosenImages:
    """Images to evaluate on.

    Attributes
    ----------
    domain, split_name, side
        What they are, and whose networks they go through.
    name
        The domain's for people, told apart from the run's own.
    split
        Their pixels, in the run's size and channels, and their labels, in the checkpoint's order.
    headline
        Whether they are what the run's numbers are measured on: its target's test split.
    notes
        What must be said beside a number that is measured here.
    """

    domain: str
    name: str
    split_name: str
    side: Side
    split: Split
    headline: bool
    notes: tuple[str, ...]

    @property
    def label(self) -> str:
        """What they are, for people."""
        if self.headline:
            return "target test"
        return f"{self.name} {self.split_name}, as {self.side}"


def choose_images(path: Path, loaded: LoadedCheckpoint, shape: TaskShape, choice: Choice, root: Path) -> ChosenImages:
    """Load what a checkpoint is to be evaluated on.

    Parameters
    ----------
    path, loaded, shape
        The checkpoint, what it says beside its tensors, and what its method was built for.
    choice
        What to load.
    root
        The data root.

    Raises
    ------
    UserError
        For an unknown domain or split, missing data, or other classes than the checkpoint's.
    """
    config = loaded.config
    given = find_domain(choice.domain or config.target)
    domain = given.name
    home: Side = "source" if domain == config.source != config.target else "target"
    side = choice.side or home
    if domain in (config.source, config.target) and choice.split in OWN_SPLITS[home]:
        split, notes = _own_split(config, home, choice.split, root)
    else:
        split = load_split(given, choice.split, root)
        require_labels(given, choice.split, split, COMPARES)
        notes = (split.note,) if split.note else ()
    split = _in_order(path, split, loaded.class_names, domain, root)
    channels, size, _ = shape.source_shape if side == "source" else shape.target_shape
    nearest = domain in find_protocol(config.protocol).nearest
    images = fit_channels(resize(split.images, size, nearest=nearest), channels)
    headline = (home, choice.split, side) == ("target", "test", "target") and domain == config.target
    name = domain_labels((config.source, config.target, domain))[-1]
    return ChosenImages(domain, name, choice.split, side, replace(split, images=images), headline, notes)


def _own_split(config: RunConfig, home: Side, name: str, root: Path) -> tuple[Split, tuple[str, ...]]:
    """Return a split of the run's source or target as the run's protocol has it."""
    task = load_task(config.protocol, config.source, config.target, root)
    if home == "source":
        return (task.source_train if name == "train" else task.source_val), task.notes
    if name == "test":
        return require_labels(find_domain(config.target), name, task.target_test, COMPARES), task.notes
    labels = target_training_labels(config.protocol, config.target, config.source, root)
    return Split(task.target_train, labels, task.class_names), task.notes


def _in_order(path: Path, split: Split, class_names: tuple[str, ...], domain: str, root: Path) -> Split:
    """Return a split with its labels in the checkpoint's class order; `UserError` where the classes differ."""
    if sorted(split.class_names) != sorted(class_names):
        place = domain if ":" in domain else f"{domain} under {root}"
        raise UserError(
            f"{path}: was trained on the classes {', '.join(class_names)}, but {place} has "
            f"{', '.join(split.class_names)}; {_remedy(domain, set(split.class_names), class_names)}"
        )
    return in_order(split, class_names)


def _remedy(domain: str, given: set[str], class_names: tuple[str, ...]) -> str:
    """Say what makes a domain's classes those of a checkpoint; images of each are not needed for that."""
    absent = ", ".join(name for name in class_names if name not in given)
    if given <= set(class_names) and domain.startswith("folder:"):
        return f"an empty class folder is enough for what has no image here ({absent})"
    if given <= set(class_names) and domain.startswith("npz:"):
        return f"give class_names with all of them, where there is no image of some ({absent})"
    return "give data of the classes that it was trained on"

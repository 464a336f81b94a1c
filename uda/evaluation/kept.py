"""Whether translated images keep their class: classifiers of real images read them, beside real images.

A classifier that learnt the labelled images of a domain reads what a translator draws in that domain; the class that
counts is that of the image it was drawn from. Only test images are read, and nothing is learnt from what is found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from uda.data.augmentation import to_float
from uda.data.domains import Split
from uda.data.protocols import load_task
from uda.data.shaping import fit_channels
from uda.errors import UserError
from uda.evaluation.classify import Weights
from uda.evaluation.judges import Read, load_judge
from uda.evaluation.labels import domain_label
from uda.evaluation.translate import to_uint8
from uda.methods import Method
from uda.methods.cycada import Cycada
from uda.metrics.accuracy import confusion_matrix
from uda.metrics.intervals import wilson_interval
from uda.training.checkpoint import LoadedCheckpoint, load_model
from uda.training.config import RunConfig
from uda.training.scoring import predict_outputs
from uda.unit.core import UNIT

#: Draws (N, C, S, S) images in [-1, 1] of a domain (0 source, 1 target) in the other one.
Draw = Callable[[Tensor, int], Tensor]
#: A name for people, and what classifies.
Reader = tuple[str, Read]

JUDGE, SOURCE_JUDGE, OWN = "judge", "source judge", "its own classifier"


@dataclass(frozen=True)
class Flip:
    """A class whose images are read as another: names of both, and the percentage of the class that is."""

    label: str
    predicted: str
    share: float


@dataclass(frozen=True)
class Reading:
    """What a classifier takes images for.

    Attributes
    ----------
    way
        The domains that the images were drawn in (0 source, 1 target), the first being that of the real images:
        (0,) are these as they are, (0, 1) translated, (0, 1, 0) translated and back again.
    reader
        Who classified them, for people.
    class_names
        In label order.
    confusion
        Counts; row: class of the real image, column: what it is taken for.
    """

    way: tuple[int, ...]
    reader: str
    class_names: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]

    @property
    def n(self) -> int:
        """Number of images."""
        return sum(map(sum, self.confusion))

    @property
    def kept(self) -> float:
        """Percent of the images that are taken for their class."""
        return 100.0 * sum(row[k] for k, row in enumerate(self.confusion)) / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of that, in percent."""
        return wilson_interval(self.kept, self.n)

    @property
    def shares(self) -> tuple[float | None, ...]:
        """Percent of each class that are taken for it; None for a class without images."""
        return tuple(100.0 * row[k] / sum(row) if any(row) else None for k, row in enumerate(self.confusion))

    def flips(self, count: int) -> tuple[Flip, ...]:
        """Return the commonest flips, as shares of their classes, the largest first; none that does not occur."""
        names = self.class_names
        found = [
            Flip(names[label], names[predicted], 100.0 * images / sum(row))
            for label, row in enumerate(self.confusion)
            for predicted, images in enumerate(row)
            if images and predicted != label
        ]
        return tuple(sorted(found, key=lambda flip: -flip.share)[:count])


@dataclass(frozen=True)
class TranslatingRun:
    """A checkpoint that translates, and what its images are taken for."""

    path: Path
    weights: Weights
    config: RunConfig
    step: int
    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class ClassesKept:
    """What some translating runs of one pair keep of the classes.

    Attributes
    ----------
    protocol, source, target
        Of all of them.
    judge, source_judge
        Who reads images in the target and in the source domain, for people; None where each run's own classifier
        reads the latter.
    untranslated
        The judges on real test images.
    runs
        In the order in which they were given.
    notes
        What must be said beside numbers that are measured on these test images.
    """

    protocol: str
    source: str
    target: str
    judge: str
    source_judge: str | None
    untranslated: tuple[Reading, ...]
    runs: tuple[TranslatingRun, ...]
    notes: tuple[str, ...]


def measure_classes_kept(
    paths: Sequence[Path], weights: Weights, judge: Path, source_judge: Path | None, root: Path
) -> ClassesKept:
    """Let classifiers of real images read the test images of a pair, as they are and translated.

    Parameters
    ----------
    paths
        ``checkpoint.pt`` of runs that translate, of one pair and protocol.
    weights
        Those of their last step or of their validator's pick.
    judge
        ``checkpoint.pt`` of a run that learnt from the labels of the pair's target: a target-only run, or a source-only
        run of a pair whose source it is. Its weights are those of the last step.
    source_judge
        The same for the source; where it is None, a run's own classifier of source images reads what it draws there.
    root
        The data root.

    Raises
    ------
    UserError
        For a file that is no checkpoint of ours, one that does not translate, runs of several pairs, a judge of another
        domain, protocol, image shape or classes, or missing data.
    """
    methods, loaded = zip(*(load_model(path, weights) for path in paths), strict=True)
    draws = [find_draw(path, method) for path, method in zip(paths, methods, strict=True)]
    config, names, shapes = _one_pair(paths, loaded), loaded[0].class_names, methods[0].task
    target = load_judge(judge, "target", config, shapes.target_shape, names)
    source = load_judge(source_judge, "source", config, shapes.source_shape, names) if source_judge else None
    task = load_task(config.protocol, config.source, config.target, root)
    if task.class_names != names:
        raise UserError(
            f"{paths[0]}: was trained on the classes {', '.join(names)}, but the data under {root} has "
            f"{', '.join(task.class_names)}; give the data that it was trained on"
        )
    splits = task.source_val, task.target_test
    as_target = replace(splits[0], images=fit_channels(splits[0].images, shapes.target_shape[0]))
    untranslated = [read((1,), (JUDGE, target.read), splits[1]), read((0,), (JUDGE, target.read), as_target)]
    if source:
        untranslated.append(read((0,), (SOURCE_JUDGE, source.read), splits[0]))
    runs = []
    for path, method, each, draw in zip(paths, methods, loaded, draws, strict=True):
        own = OWN, partial(_read_source, method)
        reader = (SOURCE_JUDGE, source.read) if source else own
        readings = [] if source else [read((0,), own, splits[0])]
        readings += read_translations(draw, (reader, (JUDGE, target.read)), splits)
        runs.append(TranslatingRun(path, weights, each.config, each.step, tuple(readings)))
    return ClassesKept(
        protocol=config.protocol,
        source=config.source,
        target=config.target,
        judge=target.label,
        source_judge=source.label if source else None,
        untranslated=tuple(untranslated),
        runs=tuple(runs),
        notes=task.notes,
    )


def read_translations(draw: Draw, readers: tuple[Reader, Reader], splits: tuple[Split, Split]) -> list[Reading]:
    """Read translations and cycles of both domains, each with the classifier of the domain that it is drawn in.

    Parameters
    ----------
    draw
        The translator.
    readers
        Those of source and target.
    splits
        Real images of both, in the channels that the translator reads.

    Returns
    -------
    list of Reading
        Source to target, and back; then target to source, and back.
    """
    readings = []
    for origin, split in enumerate(splits):
        ways = (origin, 1 - origin), (origin, 1 - origin, origin)
        for way, images in zip(ways, draw_there_and_back(draw, split.images, origin), strict=True):
            readings.append(read(way, readers[way[-1]], replace(split, images=images)))
    return readings


def read(way: tuple[int, ...], reader: Reader, split: Split) -> Reading:
    """Classify images, which came some way, and count what they are taken for."""
    name, classify = reader
    confusion = confusion_matrix(classify(split.images), split.labels).tolist()
    return Reading(way, name, split.class_names, tuple(map(tuple, confusion)))


@torch.no_grad()
def draw_there_and_back(draw: Draw, images: Tensor, origin: int, batch_size: int = 500) -> tuple[Tensor, Tensor]:
    """Translate images of a domain, and the translations back, as ``uda translate`` draws them.

    Parameters
    ----------
    draw
        The translator.
    images
        (N, C, S, S) uint8.
    origin
        Their domain: 0 source, 1 target.
    batch_size
        Images in one pass.

    Returns
    -------
    tuple
        (N, C', S, S) and (N, C, S, S) uint8. What goes back is not rounded in between.
    """
    drawn = []
    for piece in torch.split(images, batch_size):
        translations = draw(to_float(piece), origin)
        drawn.append((to_uint8(translations), to_uint8(draw(translations, 1 - origin))))
    there, back = (torch.cat(pieces) for pieces in zip(*drawn, strict=True))
    return there, back


def find_draw(path: Path, method: Method) -> Draw:
    """Return what draws images of either domain in the other, without noise; `UserError` where nothing does."""
    core = getattr(method, "core", None)
    if isinstance(core, UNIT):
        return core.translate
    if isinstance(method, Cycada) and method.config.pixel_share:
        translators = method.to_target, method.to_source
        return lambda images, origin: translators[origin](images)
    raise UserError(
        f"{path}: its method, {method.name!r}, does not translate images as it was set; give a run of unit, or of "
        "cycada with a pixel stage"
    )


def _one_pair(paths: Sequence[Path], loaded: Sequence[LoadedCheckpoint]) -> RunConfig:
    """Return the first run's config; `UserError` where another is of another pair or protocol."""
    first = loaded[0].config
    for path, other in zip(paths, loaded, strict=True):
        c = other.config
        if (c.protocol, c.source, c.target) != (first.protocol, first.source, first.target):
            raise UserError(
                f"{path}: is of {c.source} to {c.target}, protocol {c.protocol}, but {paths[0]} of {first.source} to "
                f"{first.target}, protocol {first.protocol}; give checkpoints of one pair and protocol"
            )
    return first


def _read_source(method: Method, images: Tensor) -> Tensor:
    return predict_outputs(method, images, source=True).logits


def way_label(way: tuple[int, ...], source: str, target: str) -> str:
    """Write a way for people: ``MNIST test`` for real images, ``MNIST → USPS → MNIST`` for drawn ones."""
    names = [domain_label((source, target)[side]) for side in way]
    return f"{names[0]} test" if len(names) == 1 else " → ".join(names)

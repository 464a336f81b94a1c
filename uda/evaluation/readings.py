"""What a classifier takes images for: real ones, and those that a translator draws of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from uda.data.domains import Split
from uda.evaluation.judges import Read
from uda.evaluation.labels import domain_labels
from uda.evaluation.translators import Draw, draw_there_and_back
from uda.metrics.accuracy import confusion_matrix
from uda.metrics.intervals import wilson_interval

#: A name for people, and what classifies.
Reader = tuple[str, Read]


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


def way_label(way: tuple[int, ...], source: str, target: str) -> str:
    """Write a way for people: ``MNIST test`` for real images, ``MNIST → USPS → MNIST`` for drawn ones."""
    names = [domain_labels((source, target))[side] for side in way]
    return f"{names[0]} test" if len(names) == 1 else " → ".join(names)

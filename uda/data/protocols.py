"""Protocols: what exactly is trained and tested on. Named and frozen, so that only like is compared with like."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

import numpy as np
import torch
from torch import Tensor

from uda.data.domains import Domain, FileRecord, Split, find_domain, in_order, load_split, require_labels
from uda.data.shaping import class_balanced, fit_channels, inverted_copies, margined, resize
from uda.errors import UserError, unknown

GREY_SIZE = 28
COLOUR_SIZE = 32


@dataclass(frozen=True)
class Protocol:
    """Exact files, splits, subsets, size, channels, resize filter, inverted copies and class balance of a comparison.

    Attributes
    ----------
    name
        As given on the command line.
    description
        What a reader must know to compare a number; printed above tables.
    pairs
        The (source, target) pairs that it is defined for; empty for any pair.
    source_splits
        (domain, split) where a source is not trained on its ``train`` split.
    subsets
        (domain, count): how many training images are drawn, by `subset_index`; all of them for other domains.
    redrawn
        (domain, count) where the released splits are put together and parted anew: ``count`` images, drawn by
        `subset_index`, are trained on, and the others are tested on.
    margins
        (domain, pixels): how many black ones are put on each side of a domain's images before they are resized.
    inverted
        (source, target) pairs whose target training images are followed by their inverted copies, 255 - v.
    size
        Height and width of all images; None for 28 where both domains are grey and none is larger, else 32.
    channels
        1 for grey, ``"native"`` for each domain's own, None for 1 where both domains are grey, else 3 (grey repeated).
    nearest
        Domains that are resized by nearest neighbour; bilinear with antialias for all others.
    class_balance
        Whether training images of smaller source classes are repeated until each is as large as the largest.
    """

    name: str
    description: str
    pairs: tuple[tuple[str, str], ...] = ()
    source_splits: tuple[tuple[str, str], ...] = ()
    subsets: tuple[tuple[str, int], ...] = ()
    redrawn: tuple[tuple[str, int], ...] = ()
    margins: tuple[tuple[str, int], ...] = ()
    inverted: tuple[tuple[str, str], ...] = ()
    size: int | None = None
    channels: int | str | None = None
    nearest: tuple[str, ...] = ()
    class_balance: bool = False

    def describe(self) -> str:
        """Return the line that is printed above a table."""
        return f"protocol {self.name}: {self.description}"


STANDARD = Protocol(
    name="standard",
    description=(
        "full train split of both domains, tested on the target's test split; validated on the source's test split; "
        "28x28 grey where both domains are grey and none is larger, else 32x32 RGB; bilinear with antialias"
    ),
)

USPS_PAIRS = (("mnist", "usps"), ("usps", "mnist"), ("mnist", "usps-esl"), ("usps-esl", "mnist"))

COGAN_FULL = Protocol(
    name="cogan-full",
    description=(
        "USPS as CoGAN's PyTorch code parts it, whose numbers the UNIT paper compares with: its 9,298 images at random "
        "into 7,438 to train on and 1,860 to test on, here by numpy's seed 0 in place of their draw, which domain "
        "usps-cogan has. MNIST as released; 28x28 grey, bilinear with antialias"
    ),
    pairs=USPS_PAIRS,
    redrawn=(("usps", 7_438), ("usps-esl", 7_438)),
    size=GREY_SIZE,
    channels=1,
)

UNIT_2017 = Protocol(
    name="unit-2017",
    description=(
        "as the authors of UNIT trained SVHN->MNIST: SVHN extra (531,131) as source, without SVHN train; MNIST train "
        "resized to 32x32 by nearest neighbour, with an inverted copy of each image (120,000); each domain in its own "
        "channels; tested on MNIST test, not inverted. MNIST<->USPS, in our reading: full train splits, 28x28 grey, "
        "bilinear with antialias, no inverted copies"
    ),
    pairs=(("svhn", "mnist"), *USPS_PAIRS),
    source_splits=(("svhn", "extra"),),
    inverted=(("svhn", "mnist"),),
    channels="native",
    nearest=("mnist",),
)

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        STANDARD,
        replace(
            STANDARD,
            name="standard-balanced",
            description=STANDARD.description + "; smaller source classes repeated up to the largest",
            class_balance=True,
        ),
        replace(
            STANDARD,
            name="standard-64",
            description=(
                "for images that 32x32 says too little of: full train split of both domains, tested on the target's "
                "test split; validated on the source's test split; 64x64, grey where both domains are grey, else RGB; "
                "bilinear with antialias"
            ),
            size=64,
        ),
        UNIT_2017,
        replace(
            UNIT_2017,
            name="unit-2017-train",
            description="as unit-2017, but with SVHN train (73,257) as source in place of SVHN extra (531,131)",
            pairs=(("svhn", "mnist"),),
            source_splits=(),
        ),
        Protocol(
            name="cogan-small",
            description=(
                "2,000 training images of MNIST and 1,800 of USPS, drawn with numpy's seed 0 as CoGAN's PyTorch code "
                "does; 28x28 grey, bilinear with antialias; tested on the target's full standard test split. "
                "CoGAN's own MNIST->USPS number is measured on the very 1,800 USPS images it trained on, "
                "of a 7,438 / 1,860 split"
            ),
            pairs=USPS_PAIRS,
            subsets=(("mnist", 2_000), ("usps", 1_800), ("usps-esl", 1_800)),
            size=GREY_SIZE,
            channels=1,
        ),
        COGAN_FULL,
        replace(
            COGAN_FULL,
            name="cogan-padded",
            description=COGAN_FULL.description
            + ". Before that 3 black pixels are put on each side of a USPS image of 16x16, so that its digit is as "
            "large as one of MNIST: what a script of CoGAN's authors found best",
            margins=(("usps", 3), ("usps-esl", 3)),
        ),
        Protocol(
            name="embedded",
            description=(
                "for domains that need no download: full train split of both, tested on the target's test split; "
                "16x16 grey, bilinear with antialias"
            ),
            size=16,
            channels=1,
        ),
    )
}


@dataclass(frozen=True)
class TaskData:
    """A pair of domains under a protocol: all that a run may read.

    Target training labels are not here; only `target_training_labels` gives them, to the one method that is
    allowed to ask (the supervised ceiling).

    Attributes
    ----------
    source_train, source_val
        Labelled splits at the protocol's size and channels.
    target_test
        Likewise; a user's own has labels or not, and then there is no accuracy.
    target_train
        (N, C, H, W) uint8 images.
    class_names
        One per class, the same for both domains.
    files
        Every file that was read, with checksums.
    notes
        What a table must say beside the number.
    """

    source_train: Split
    source_val: Split
    target_train: Tensor = field(repr=False)
    target_test: Split
    class_names: tuple[str, ...]
    files: tuple[FileRecord, ...]
    notes: tuple[str, ...]


def find_protocol(name: str) -> Protocol:
    """Return the protocol of that name, or raise `UserError` naming the nearest one."""
    if name not in PROTOCOLS:
        raise unknown("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def load_task(protocol: str, source: str, target: str, root: Path) -> TaskData:
    """Load a pair under a protocol.

    Parameters
    ----------
    protocol, source, target
        Names: see `PROTOCOLS` and `uda.data.domains.DOMAINS`.
    root
        The data root.

    Raises
    ------
    UserError
        For an unknown protocol or domain, a pair that the protocol is not defined for, a missing or damaged file, or
        domains whose classes differ.
    """
    rules = find_protocol(protocol)
    origin, aim = find_pair(rules, source, target)
    source_train = source_training(rules, origin, root)
    source_val = require_labels(origin, "test", parted(rules, origin, "test", root), "validators compare with")
    target_train = same_classes(origin, source_train, aim, target_training(rules, origin, aim, root))
    target_test = same_classes(origin, source_train, aim, parted(rules, aim, "test", root))
    parts = (source_train, source_val, target_train, target_test)
    absent = absent_classes(origin, "train", source_train) + absent_classes(aim, "test", target_test)
    size, source_channels, target_channels = common_shape(rules, source_train.images, target_train.images)

    def shaped(domain: Domain, images: Tensor, channels: int) -> Tensor:
        framed = margined(images, dict(rules.margins).get(domain.name, 0))
        return fit_channels(resize(framed, size, nearest=domain.name in rules.nearest), channels)

    return TaskData(
        source_train=replace(source_train, images=shaped(origin, source_train.images, source_channels)),
        source_val=replace(source_val, images=shaped(origin, source_val.images, source_channels)),
        target_train=shaped(aim, target_train.images, target_channels),
        target_test=replace(target_test, images=shaped(aim, target_test.images, target_channels)),
        class_names=source_train.class_names,
        files=tuple(dict.fromkeys(file for part in parts for file in part.files)),
        notes=tuple(dict.fromkeys([part.note for part in parts if part.note] + absent)),
    )


def absent_classes(domain: Domain, split_name: str, split: Split) -> list[str]:
    """Say in a note of which classes a split has no image; no note where it has of all, or no labels."""
    if not split.labelled:
        return []
    counts = torch.bincount(split.labels, minlength=len(split.class_names)).tolist()
    absent = [name for name, count in zip(split.class_names, counts, strict=True) if not count]
    place = PurePath(domain.name.rpartition(":")[2]).name
    return [f"no image of {', '.join(absent)} in {place} {split_name}"] if absent else []


def target_training_labels(protocol: str, target: str, source: str, root: Path) -> Tensor:
    """Return the (N,) labels of ``TaskData.target_train``: the explicit door of the supervised ceiling."""
    rules = find_protocol(protocol)
    origin, aim = find_pair(rules, source, target)
    source_test, target_train = parted(rules, origin, "test", root), target_training(rules, origin, aim, root)
    require_labels(aim, "train", target_train, "the supervised ceiling and evaluations on it need")
    return same_classes(origin, source_test, aim, target_train).labels


def find_pair(rules: Protocol, source: str, target: str) -> tuple[Domain, Domain]:
    """Return both domains; `UserError` where one is unknown or the protocol is not defined for the pair."""
    pair = find_domain(source), find_domain(target)
    if rules.pairs and (source, target) not in rules.pairs:
        known = ", ".join(f"{first}->{second}" for first, second in rules.pairs)
        raise UserError(f"protocol {rules.name!r} is not defined for {source}->{target}, only for {known}")
    return pair


def source_training(rules: Protocol, origin: Domain, root: Path) -> Split:
    """Return the source's training images with their labels, unresized: subset and balanced as the protocol says."""
    split = dict(rules.source_splits).get(origin.name, "train")
    released = require_labels(origin, split, parted(rules, origin, split, root), "a source is learnt by")
    chosen = drawn(rules, origin, released)
    return class_balanced(chosen) if rules.class_balance else chosen


def target_training(rules: Protocol, origin: Domain, aim: Domain, root: Path) -> Split:
    """Return the target's training images with their labels, unresized: subset and inverted as the protocol says."""
    chosen = drawn(rules, aim, parted(rules, aim, "train", root))
    return inverted_copies(chosen) if (origin.name, aim.name) in rules.inverted else chosen


def parted(rules: Protocol, domain: Domain, split: str, root: Path) -> Split:
    """Return a split as released, or as the protocol draws it from all of the domain's images.

    Raises
    ------
    UserError
        Where the domain has too few images here for the protocol to test on any.
    """
    count = dict(rules.redrawn).get(domain.name)
    if count is None:
        return load_split(domain, split, root)
    train, test = load_split(domain, "train", root), load_split(domain, "test", root)
    total = len(train) + len(test)
    if count >= total:
        raise UserError(
            f"protocol {rules.name!r} trains on {count:,} {domain.name} images and tests on others; there are {total:,}"
        )
    index = subset_index(total, total)
    index = index[:count] if split == "train" else index[count:]
    return replace(
        train,
        images=torch.cat([train.images, test.images])[index],
        labels=torch.cat([train.labels, test.labels])[index],
        files=tuple(dict.fromkeys((*train.files, *test.files))),
        note="; ".join(part.note for part in (train, test) if part.note),
    )


def drawn(rules: Protocol, domain: Domain, split: Split) -> Split:
    """Return the subset of a training split that the protocol draws from it, or all of it."""
    count = dict(rules.subsets).get(domain.name)
    if count is None:
        return split
    if count > len(split):
        raise UserError(
            f"protocol {rules.name!r} draws {count:,} training images of {domain.name}, which has {len(split):,} here"
        )
    index = subset_index(len(split), count)
    return replace(split, images=split.images[index], labels=split.labels[index])


def subset_index(total: int, count: int) -> Tensor:
    """Return which images a subset holds: the first ``count`` of a permutation by numpy's legacy generator, seed 0."""
    return torch.from_numpy(np.random.RandomState(0).permutation(total)[:count])


def same_classes(origin: Domain, source: Split, aim: Domain, target: Split) -> Split:
    """Return a target split with its labels in the source's class order; `UserError` where the classes differ.

    What has neither labels nor names of classes has the source's.
    """
    if source.class_names == target.class_names:
        return target
    if not target.class_names:
        return replace(target, class_names=source.class_names)
    only_source = sorted(set(source.class_names) - set(target.class_names))
    only_target = sorted(set(target.class_names) - set(source.class_names))
    if only_source or only_target:
        parts = [(origin.name, only_source), (aim.name, only_target)]
        differing = "; ".join(f"only in {name}: {', '.join(classes)}" for name, classes in parts if classes)
        lacking = [name for name, missed in ((aim.name, only_source), (origin.name, only_target)) if missed]
        remedies = "".join(_naming_all(name) for name in lacking)
        raise UserError(f"{origin.name} and {aim.name} do not have the same classes ({differing}){remedies}")
    return in_order(target, source.class_names)


def _naming_all(domain: str) -> str:
    """Say how a user's own domain names a class that it has no image of, for the end of a sentence."""
    ways = {"npz": "give class_names with all of them", "folder": "an empty class folder is enough"}
    scheme = domain.partition(":")[0]
    return f"; where {domain} has no image of a class, {ways[scheme]}" if scheme in ways else ""


def common_shape(rules: Protocol, source: Tensor, target: Tensor) -> tuple[int, int, int]:
    """Return size, source channels and target channels under a protocol, for (N, C, H, W) images as released."""
    channels = source.shape[1], target.shape[1]
    grey = channels == (1, 1)
    largest = max(*source.shape[2:], *target.shape[2:])
    size = rules.size or (GREY_SIZE if grey and largest <= GREY_SIZE else COLOUR_SIZE)
    if rules.channels == "native":
        return size, *channels
    if isinstance(rules.channels, int):
        return size, rules.channels, rules.channels
    return (size, 1, 1) if grey else (size, 3, 3)

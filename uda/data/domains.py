"""Domains and splits: named sets of labelled images, and the registry that finds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from uda.errors import UserError, unknown

#: In place of the label of an image that has none.
UNLABELLED = -1


@dataclass(frozen=True)
class FileRecord:
    """One file that a split was read from.

    Attributes
    ----------
    name
        Path relative to the data root; the path as given for what lies outside it.
    checksum
        ``"md5:<hex>"`` of the content (of the unpacked content for what may be packed), ``"listing-md5:<hex>"`` where a
        folder of many images stands for its files: of its labels file and of the names and sizes of its images.
    verified
        Whether the checksum is a published one, and equal to it.
    """

    name: str
    checksum: str
    verified: bool


@dataclass(frozen=True)
class Split:
    """One split of a domain, whole, in memory.

    Attributes
    ----------
    images
        (N, C, H, W) uint8, 0..255.
    labels
        (N,) int64, indices into ``class_names``; all `UNLABELLED` where a user's own images have none.
    class_names
        One name per class, in label order; none where no image of the domain has a label, and nothing names them.
    files
        The files that the split was read from; for what is built in or generated, one record of its pixels.
    note
        What a table must say beside a number measured here, e.g. "first 10,000 of 26,032".
    """

    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    files: tuple[FileRecord, ...] = ()
    note: str = ""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labelled(self) -> bool:
        """Whether its images have labels."""
        return bool((self.labels != UNLABELLED).all())


Loader = Callable[[Path, str], Split]


def no_files(root: Path, split: str) -> tuple[Path, ...]:
    """Say that a split needs no file: it is built in or generated."""
    return ()


@dataclass(frozen=True)
class Domain:
    """A named domain: how to load each of its splits from a data root.

    Attributes
    ----------
    name
        As given on the command line.
    description
        One line for ``uda data list``.
    splits
        Names of the splits that exist; ``train`` and ``test`` at least.
    channels, size
        Shape of its images as released; None where only reading them tells (a user's own images).
    load
        ``load(root, split) -> Split``; raises `UserError` where a file is missing or wrong. Call it through
        `load_split`, which checks the split's name first.
    files
        ``files(root, split)``: where the split's files are, or should be; none for what needs no file.
    prepare
        ``prepare(root, splits)`` downloads what is missing; None where nothing can be or needs to be downloaded.
    obtain
        For what cannot be downloaded here: how to get it, as a clause, e.g. "get X from URL and put it in Y".
    """

    name: str
    description: str
    splits: tuple[str, ...]
    channels: int | None
    size: int | None
    load: Loader = field(repr=False)
    files: Callable[[Path, str], tuple[Path, ...]] = field(default=no_files, repr=False)
    prepare: Callable[[Path, tuple[str, ...]], None] | None = field(default=None, repr=False)
    obtain: str = field(default="", repr=False)


DOMAINS: dict[str, Domain] = {}
SCHEMES: dict[str, Callable[[str], Domain]] = {}


def register(domain: Domain) -> Domain:
    """Add a domain to the registry under its name."""
    DOMAINS[domain.name] = domain
    return domain


def register_scheme(prefix: str, open_domain: Callable[[str], Domain]) -> None:
    """Let names like ``prefix:WHERE`` stand for the domain that ``open_domain(WHERE)`` builds."""
    SCHEMES[prefix] = open_domain


def find_domain(name: str) -> Domain:
    """Return the domain of that name, registered or ``prefix:WHERE``; `UserError` naming the nearest one otherwise."""
    prefix, colon, where = name.partition(":")
    if colon and prefix in SCHEMES:
        if not where:
            raise UserError(f"domain {name!r} names no path: write {prefix}:PATH")
        return SCHEMES[prefix](where)
    if name not in DOMAINS:
        raise unknown("domain", name, [*DOMAINS, *(f"{scheme}:PATH" for scheme in SCHEMES)])
    return DOMAINS[name]


def is_own(name: str) -> bool:
    """Whether a domain is a user's own images, ``folder:PATH`` or the like, and not one that is known by name."""
    return name.partition(":")[0] in SCHEMES


def require_labels(domain: Domain, name: str, split: Split, who: str) -> Split:
    """Return a split, after checking that it has labels for ``who``, a clause that says what needs them."""
    if not split.labelled:
        raise UserError(f"{domain.name} {name} has no labels, which {who}; to label them, {domain.obtain}")
    return split


def in_order(split: Split, class_names: tuple[str, ...]) -> Split:
    """Return a split with its labels in another order of the same classes."""
    order = torch.tensor([class_names.index(name) for name in split.class_names])
    labels = order[split.labels] if split.labelled else split.labels
    return replace(split, labels=labels, class_names=class_names)


def load_split(domain: Domain, split: str, root: Path) -> Split:
    """Read one split of a domain; `UserError` for a split that does not exist or holds nothing."""
    if split not in domain.splits:
        raise unknown(f"split of {domain.name}", split, domain.splits)
    loaded = domain.load(root, split)
    if not len(loaded):
        raise UserError(f"{domain.name} {split} holds no image")
    return loaded

"""What of a domain is there: which splits have their files, and how large those are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from uda.data.domains import Domain
from uda.errors import UserError


@dataclass(frozen=True)
class Presence:
    """Whether one split of a domain can be read.

    Attributes
    ----------
    split
        Its name.
    missing
        The first file that is not there; None where all are.
    bytes
        Size of all files of the split, also where another split shares them; 0 for what needs no file.
    built_in
        Whether it needs no file.
    """

    split: str
    missing: Path | None
    bytes: int
    built_in: bool


def inventory(domain: Domain, root: Path) -> tuple[Presence, ...]:
    """Look for the files of each split of a domain; nothing is read."""
    return tuple(presence(domain, split, root) for split in domain.splits)


def presence(domain: Domain, split: str, root: Path) -> Presence:
    """Look for the files of one split."""
    paths = domain.files(root, split)
    missing = next((path for path in paths if not path.exists()), None)
    return Presence(split, missing, sum(size_of(path) for path in paths), built_in=not paths)


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files under a folder; 0 for what is missing."""
    if path.is_dir():
        return sum(inner.stat().st_size for inner in path.rglob("*") if inner.is_file())
    return path.stat().st_size if path.exists() else 0


def prepare(domain: Domain, root: Path, splits: tuple[str, ...]) -> str:
    """Download what is missing of some splits, and say what was done.

    Parameters
    ----------
    domain
        What to prepare.
    root
        The data root.
    splits
        Which of its splits.

    Returns
    -------
    str
        What there was to do, as a clause.

    Raises
    ------
    UserError
        If a split does not exist, a download fails, or a missing file cannot be downloaded (with where it is found).
    """
    for split in splits:
        if split not in domain.splits:
            raise UserError(f"{domain.name} has no split {split!r}, only {', '.join(domain.splits)}")
    found = [presence(domain, split, root) for split in splits]
    if all(item.built_in for item in found):
        return "built in, nothing to download"
    if all(item.missing is None for item in found):
        return "already complete"
    if domain.prepare is None:
        raise UserError(f"{domain.name} cannot be downloaded automatically: {domain.obtain}")
    domain.prepare(root, splits)
    return "downloaded"

"""Files of data sets: where they should be, whether they are the published ones, and what to say when they are not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uda.data.domains import FileRecord
from uda.errors import UserError


def require(path: Path, what: str, mend: str) -> Path:
    """Return ``path`` if it is a file.

    Parameters
    ----------
    path
        The file that is needed.
    what
        What it should be, e.g. ``"the SVHN train digits (MATLAB file)"``.
    mend
        What to do where it is missing, as a clause.

    Raises
    ------
    UserError
        Naming the file, what was expected, and ``mend``.
    """
    if not path.is_file():
        problem = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise UserError(f"{path} {problem}; it should hold {what}: {mend}")
    return path


def prepare_command(domain: str, split: str, root: Path) -> str:
    """Return the clause that tells how to download a split."""
    extra = "" if split in ("train", "test") else f" --split {split}"
    return f"run `uda data prepare {domain}{extra} --data-root {root}`"


@contextmanager
def parsing(path: Path, form: str) -> Iterator[None]:
    """Turn whatever a parser raises into one `UserError` that names the file and the problem.

    Parsers of foreign formats raise nearly anything on a damaged file, hence the wide net.
    """
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        lines = str(error).strip().splitlines()
        reason = lines[0].rstrip(".") if lines else type(error).__name__
        raise UserError(f"{path} is not a readable {form}: {reason}") from error


def md5_of_file(path: Path) -> str:
    """Return the MD5 of a file's bytes, as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()


def record(root: Path, path: Path, md5: str, published: str | None) -> FileRecord:
    """Return the record of one file, verified where ``md5`` is the published checksum."""
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    return FileRecord(name=name, checksum=f"md5:{md5}", verified=md5 == published)


def count_note(name: str, found: str, official: int, verified: bool) -> str:
    """Return what a table must say of a split that is not of its official size.

    Parameters
    ----------
    name
        Domain and split.
    found
        Which images there are, e.g. ``"first 10,000"``.
    official
        Number of images in the published split.
    verified
        Whether the file is the published one.
    """
    return f"{name}: {found} of {official:,}" + ("" if verified else ", file unverified")

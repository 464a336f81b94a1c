"""Fetching a published file: whole or not at all, and never over a file that is already there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from uda.errors import UserError


def download(urls: Iterable[str], path: Path, md5: str) -> None:
    """Fetch a file from the first address that gives it with the right checksum; one that exists is left alone.

    Parameters
    ----------
    urls
        Where it is published, most reliable first.
    path
        Where it goes; written beside it and moved there when complete.
    md5
        Its published checksum.

    Raises
    ------
    UserError
        If no address gives it, or it cannot be written.
    """
    from torchvision.datasets.utils import download_url

    if path.exists():
        return
    problems = []
    for url in urls:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".part-") as folder:
                download_url(url, folder, path.name, md5)
                (Path(folder) / path.name).replace(path)
            return
        # What the network, the server and torchvision's checksum test raise has no common class below this one.
        except (OSError, RuntimeError, ValueError) as error:
            problems.append(f"{url}: {error}")
    raise UserError(f"could not download {path.name} ({'; '.join(problems)}); fetch it yourself and save it as {path}")

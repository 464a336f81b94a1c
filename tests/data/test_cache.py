"""The cache: built once, complete or absent, never trusted when damaged."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from uda.data.cache import cached


class Counter:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, Any]:
        self.calls += 1
        return {"images": torch.arange(6, dtype=torch.uint8), "names": ["a", "b"]}


def test_content_is_built_once_per_key(tmp_path: Path) -> None:
    build = Counter()
    first, again = cached(tmp_path, "thing", "k1", build), cached(tmp_path, "thing", "k1", build)
    assert build.calls == 1
    assert torch.equal(first["images"], again["images"])
    assert again["names"] == ["a", "b"]
    cached(tmp_path, "thing", "k2", build)
    assert build.calls == 2


@pytest.mark.parametrize("damage", [b"", b"not an archive", None])
def test_damaged_file_is_made_anew(tmp_path: Path, damage: bytes | None) -> None:
    build = Counter()
    cached(tmp_path, "thing", "k", build)
    (path,) = (tmp_path / ".cache").iterdir()
    path.write_bytes(path.read_bytes()[:200] if damage is None else damage)
    assert torch.equal(cached(tmp_path, "thing", "k", build)["images"], torch.arange(6, dtype=torch.uint8))
    assert build.calls == 2
    cached(tmp_path, "thing", "k", build)
    assert build.calls == 2


def test_full_disk_is_done_without_and_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys, torch; from pathlib import Path; from uda.data.cache import cached\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "print(cached(Path(sys.argv[1]), 'thing', 'k', lambda: {'images': torch.ones(9999)})['images'].sum())\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert done.stdout == "tensor(9999.)\n", done.stderr
    assert list((tmp_path / ".cache").iterdir()) == []


def test_unwritable_root_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    build = Counter()
    assert cached(tmp_path / "file" / "root", "thing", "k", build)["names"] == ["a", "b"]
    assert build.calls == 1

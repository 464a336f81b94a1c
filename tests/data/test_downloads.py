"""Downloads, from a server on this machine: whole or not at all, never over a file that is there."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from uda.data.domains import find_domain
from uda.data.downloads import download
from uda.data.inventory import inventory, prepare
from uda.errors import UserError


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the folder ``tmp_path / "published"``; the value is its address."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "published").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(tmp_path / "published"))) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_first_address_that_works_is_used(tmp_path: Path, server: str) -> None:
    (tmp_path / "published" / "there").write_bytes(b"content")
    path = tmp_path / "root" / "SVHN" / "file.mat"
    download([f"{server}/nowhere", f"{server}/there"], path, hashlib.md5(b"content").hexdigest())
    assert path.read_bytes() == b"content"
    assert list(path.parent.iterdir()) == [path]


def test_wrong_content_is_refused_and_leaves_nothing(tmp_path: Path, server: str) -> None:
    (tmp_path / "published" / "wrong").write_bytes(b"<html>")
    path = tmp_path / "root" / "file.mat"
    with pytest.raises(UserError, match=r"could not download file\.mat .*fetch it yourself and save it as .*file\.mat"):
        download([f"{server}/wrong"], path, hashlib.md5(b"content").hexdigest())
    assert list(path.parent.iterdir()) == []


def test_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file.mat"
    path.write_bytes(b"mine, not the published one")
    download([], path, "0" * 32)
    assert path.read_bytes() == b"mine, not the published one"


def test_inventory_tells_what_is_missing(root: Path) -> None:
    (root / "SVHN" / "extra_32x32.mat").unlink()
    missing = {item.split: item.missing for item in inventory(find_domain("svhn"), root)}
    assert missing == {"train": None, "extra": root / "SVHN" / "extra_32x32.mat", "test": None}
    mnistm = inventory(find_domain("mnistm"), root)[0]
    pngs = list((root / "mnist_m" / "mnist_m_train").iterdir())
    labels = root / "mnist_m" / "mnist_m_train_labels.txt"
    assert mnistm.bytes == sum(path.stat().st_size for path in [*pngs, labels])


def test_prepare_says_what_there_was_to_do(root: Path) -> None:
    splits = ("train", "test")
    assert prepare(find_domain("mnist"), root, splits) == "already complete"
    assert prepare(find_domain("rendered"), root, splits) == "built in, nothing to download"
    with pytest.raises(UserError, match="mnist has no split 'extra', only train, test"):
        prepare(find_domain("mnist"), root, ("extra",))
    (root / "SynDigits" / "synth_test_32x32.mat").unlink()
    with pytest.raises(UserError, match=r"syndigits cannot be downloaded automatically: get SynthDigits .* from http"):
        prepare(find_domain("syndigits"), root, splits)

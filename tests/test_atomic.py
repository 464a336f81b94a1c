"""Files that are whole or not there."""

import json
from pathlib import Path
from pickle import PicklingError

import numpy as np
import pytest
import torch

from uda.atomic import write_arrays, write_bytes, write_json, write_tensors, write_text


def test_failed_write_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "content.pt"
    write_tensors(path, {"value": 1})
    with pytest.raises((AttributeError, PicklingError), match="pickle"):
        write_tensors(path, {"value": lambda: None})
    assert [file.name for file in tmp_path.iterdir()] == ["content.pt"]
    assert torch.load(path, weights_only=True) == {"value": 1}


def test_what_cannot_be_moved_to_its_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "occupied").touch()
    with pytest.raises(OSError, match="place"):
        write_bytes(tmp_path / "place", b"content")
    assert [each.name for each in tmp_path.iterdir()] == ["place"]


def test_a_place_that_cannot_be_written_is_named_and_not_the_scratch_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as caught:
        write_bytes(tmp_path / "file" / "table.md", b"content")
    assert caught.value.filename == str(tmp_path / "file" / "table.md")


def test_what_is_written_reads_as_it_was(tmp_path: Path) -> None:
    write_text(tmp_path / "text", "±\r\n\n")
    assert (tmp_path / "text").read_bytes() == "±\r\n\n".encode()
    write_json(tmp_path / "values", {"n": [1, None]})
    assert json.loads((tmp_path / "values").read_text()) == {"n": [1, None]}
    write_arrays(tmp_path / "arrays.npz", {"predicted": torch.arange(3)})
    with np.load(tmp_path / "arrays.npz") as stored:
        assert stored["predicted"].tolist() == [0, 1, 2]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["arrays.npz", "text", "values"]

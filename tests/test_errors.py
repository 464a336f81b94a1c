"""The sentences that people are shown."""

from pathlib import Path

import pytest
import torch

from uda.errors import UserError, sentence_of, unknown


def test_unknown_names_the_nearest_and_all() -> None:
    error = unknown("domain", "mnits", ["usps", "mnist"])
    assert isinstance(error, UserError)
    assert str(error) == "unknown domain 'mnits': did you mean 'mnist'? known are mnist, usps"


def test_a_name_inside_a_known_one_is_meant_by_it() -> None:
    message = str(unknown("setting", "shift", ["width", "shape", "augmentation.shift"]))
    assert message.startswith("unknown setting 'shift': did you mean 'augmentation.shift'? known are ")


def test_unknown_does_not_guess_where_nothing_is_near() -> None:
    assert str(unknown("domain", "xyz", ["mnist"])) == "unknown domain 'xyz': known are mnist"


@pytest.mark.parametrize("name", ["", "é", "a" * 1000])
def test_unknown_takes_any_name(name: str) -> None:
    assert repr(name) in str(unknown("key", name, ["seeds"]))


def test_memory_that_a_cpu_refuses_torch_is_told_as_such() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert sentence_of(refused.value).startswith("out of memory (")
    assert "\n" not in sentence_of(refused.value)
    assert not sentence_of(RuntimeError("expected scalar type Byte"))


def test_what_does_not_fit_into_memory_says_what_to_do() -> None:
    todo = ": give fewer or smaller images, a smaller width or batch_size, or fewer runs at a time (--jobs 1)"
    assert sentence_of(MemoryError()) == f"out of memory{todo}"
    assert sentence_of(MemoryError("Unable to allocate 4 GiB")) == f"out of memory (Unable to allocate 4 GiB){todo}"


def test_what_the_file_system_refuses_says_where_and_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    refusals = {
        tmp_path: "Is a directory; give the path of a file",
        file / "below": "Not a directory; a part of this path is a file; give another path",
        tmp_path / "none" / "below": "No such file or directory; give a path that exists and can be written to",
        tmp_path / ("n" * 300): "File name too long; give a shorter path",
    }
    for path, words in refusals.items():
        with pytest.raises(OSError, match=path.name[:20]) as refused:
            path.write_text("")
        assert sentence_of(refused.value) == f"{path}: {words}"
    with pytest.raises(FileExistsError) as exists:
        file.mkdir()
    assert sentence_of(exists.value) == f"{file}: File exists; a file is where a folder should be; give another path"

"""Where code says which it is."""

import subprocess

import pytest

import uda
from uda.training import versions


def test_a_copy_without_its_repository_says_what_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_repository(*arguments: object) -> str:
        raise subprocess.CalledProcessError(128, "git")

    monkeypatch.setattr(versions, "_git", no_repository)
    monkeypatch.delenv("UDA_CODE_VERSION", raising=False)
    assert versions.code_version.__wrapped__() == uda.__version__
    monkeypatch.setenv("UDA_CODE_VERSION", "0.1.0-gabc")
    assert versions.code_version.__wrapped__() == "0.1.0-gabc"

"""Where code says which it is."""

import subprocess
import sys
from pathlib import Path

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


def test_a_copy_in_the_repository_of_something_else_does_not_name_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    installed = tmp_path / "venv" / "uda" / "__init__.py"
    installed.parent.mkdir(parents=True)
    installed.touch()
    git("init")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--allow-empty", "-m", "theirs")
    monkeypatch.setattr(uda, "__file__", str(installed))
    monkeypatch.delenv("UDA_CODE_VERSION", raising=False)
    assert versions.code_version.__wrapped__() == uda.__version__
    git("add", str(installed))
    assert versions.code_version.__wrapped__().startswith(f"{uda.__version__}-g")


def test_a_git_that_does_not_answer_stops_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "git"
    slow.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(600)\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(versions, "PATIENCE", 0.1)
    monkeypatch.delenv("UDA_CODE_VERSION", raising=False)
    assert versions.code_version.__wrapped__() == uda.__version__

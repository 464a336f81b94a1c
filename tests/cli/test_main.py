"""The command ``uda`` itself: help without torch, and errors as one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Uda, refused
from uda import __version__
from uda.cli.main import COMMANDS


def test_help_lists_every_command_and_imports_no_torch() -> None:
    code = (
        "import sys\n"
        "from uda.cli.main import cli\n"
        "cli(['--help'], standalone_mode=False)\n"
        "sys.exit('torch' in sys.modules or 'pandas' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    unwrapped = " ".join(done.stdout.split())
    for name, line in COMMANDS.items():
        assert f" {name} {line}" in unwrapped


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(uda: Uda, name: str) -> None:
    result = uda(name, "--help")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: uda {name}")


def test_version(uda: Uda) -> None:
    assert uda("--version").output == f"uda, version {__version__}\n"


def test_unknown_command_names_the_nearest(uda: Uda) -> None:
    assert "unknown command 'tarin': did you mean 'train'?" in refused(uda("tarin"))


def test_what_the_file_system_refuses_is_one_sentence(uda: Uda, tmp_path: Path, pair: tuple[str, str]) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    source, target = pair
    arguments = ("--source", source, "--target", target, "--method", "source-only", "--runs", blocked / "runs")
    assert refused(uda("train", *arguments)).startswith(f"{blocked / 'runs'}")


def test_methods_are_listed_with_their_presets(uda: Uda) -> None:
    output = uda("methods").output
    assert "source-only\n" in output
    lines = output.splitlines()
    unit = lines.index("unit  (generative)")
    assert lines[unit + 2].endswith("NIPS 2017")
    assert lines[unit + 3] == "  needs: two views of each target image, for its mean teacher"
    assert lines[unit + 4].startswith("  presets: default, ")

"""The command ``uda`` itself: help without torch, and errors as one sentence."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Uda, refused
from uda import __version__
from uda.cli.main import COMMANDS
from uda.cli.train import parse_settings
from uda.methods import METHODS
from uda.training.resolve import resolve


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


def test_commands_load_nothing_heavy_before_they_need_it() -> None:
    code = (
        "import importlib, sys\n"
        f"for name in {list(COMMANDS)}: importlib.import_module(f'uda.cli.{{name}}')\n"
        "print({'torchvision', 'sklearn', 'scipy.stats', 'h5py', 'skada', 'ot'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


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


@pytest.mark.parametrize("method", METHODS)
def test_a_method_says_each_setting_and_each_preset_as_they_are_written_in_a_recipe(method: str, uda: Uda) -> None:
    output = uda("methods", method).output
    blocks = {block.splitlines()[0]: block.splitlines()[1:] for block in output.split("\n\n")}
    (defaults,) = (block for head, block in blocks.items() if head.startswith("Settings, "))
    read = parse_settings(tuple(line.split("  #")[0].strip().replace(" = ", "=") for line in defaults))
    config = METHODS[method].Config
    assert config(**{key: tuple(v) if isinstance(v, list) else v for key, v in read.items() if v != "none"}) == config()
    for setting in read:
        assert re.search(rf"^  (\w+, )*{setting}(, \w+)*$", output, re.MULTILINE), f"{setting} is not explained"
    for preset, values in METHODS[method].presets.items():
        said = [block for head, block in blocks.items() if head.split(",")[0] == f"Preset {preset}"]
        assert bool(said) == bool(values)
        if said:
            changed = parse_settings(tuple(line.strip().replace(" = ", "=") for line in said[0]))
            by_name = resolve(method, "rendered", "optdigits", preset=preset, device="cpu")
            by_hand = resolve(method, "rendered", "optdigits", overrides=changed, device="cpu")
            assert replace(by_hand, preset=preset) == by_name


def test_a_method_says_what_its_numbers_may_be(uda: Uda) -> None:
    output = uda("methods", "unit").output
    assert "  game_share = 1.0  # above 0 and at most 1\n" in output
    assert "  lambda_0 = 1.0\n" in output


def test_a_method_that_is_not_known_is_refused_with_the_nearest(uda: Uda) -> None:
    assert "did you mean 'unit'" in refused(uda("methods", "unti"))

"""What the README shows is what results/ holds, and what it says to do can be done."""

import importlib
import itertools
import re
from pathlib import Path
from typing import Any

import click
import pytest
import torch

from tests.conftest import Uda
from uda.cli.main import COMMANDS, cli
from uda.methods import METHODS
from uda.sweeps.recipe import load_recipe

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table_in(text: str) -> list[str]:
    """Return the lines of the first table of methods, and of its footnotes."""
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("| Method |"))
    after = itertools.takewhile(lambda line: not line or line.startswith(("|", "- <sup>")), lines[first:])
    return list(filter(None, after))


def test_its_tables_are_those_in_results() -> None:
    before, after = README.split("### UNIT at its own length")
    for text, name in ((before, "digits"), (after, "unit")):
        assert table_in(text) == table_in((ROOT / f"results/{name}-brief.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["README.md", "results/README.md", "results/speed/README.md", "results/ablations.md"])
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    links = [link for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")) if "://" not in link]
    assert len(links) > 5
    for link in links:
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def headings(page: Path) -> set[str]:
    """Return what a Markdown page's headings are linked by."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_its_recipe_is_read(tmp_path: Path) -> None:
    (written,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "mine.toml").write_text(written, encoding="utf-8")
    recipe = load_recipe(tmp_path / "mine.toml")
    assert [config.method for config in recipe.configs[:3]] == ["source-only", "dann", "target-only"]
    assert [config.settings["lambda_domain"] for config in recipe.choices[0].configs] == [0.5, 0.1, 1.0]
    assert recipe.configs[1].augmentation.shift == 2


def test_its_method_is_complete(
    uda: Uda, pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    (tmp_path / "mean_matching.py").write_text(written, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    method = importlib.import_module("mean_matching").MeanMatching
    monkeypatch.setitem(METHODS, method.name, method)
    small = ("--steps", 2, "--batch-size", 16, "--set", "width=4", "--set", "lambda_means=0.5")
    trained = uda("train", "--source", pair[0], "--target", pair[1], "--method", method.name, *small)
    assert trained.exit_code == 0, trained.output
    assert "\n  Mean matching  1  " in uda("table", tmp_path / "runs").stdout
    assert "lambda_means = 1.0\n" in uda("methods", method.name).stdout


def test_its_python_trains_and_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, written = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(written, names)
    assert 10.0 < float(capsys.readouterr().out) < 100.0
    assert names["about"].config == names["config"]
    assert names["model"].predict(torch.zeros(2, 1, 16, 16)).shape == (2, 10)


def test_its_commands_and_options_exist() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    commands = [
        line.split("#")[0].split() for block in blocks for line in block.splitlines() if line.startswith("uda ")
    ]
    assert len(commands) > 10
    for words in commands:
        command: click.Command = cli.get_command(click.Context(cli), words[1]) or click.Command("none")
        if isinstance(command, click.Group):
            command = command.get_command(click.Context(command), words[2]) or click.Command("none")
        known = {option for parameter in command.params for option in parameter.opts}
        assert words[1] in COMMANDS
        assert {word for word in words if word.startswith("-")} <= known, words

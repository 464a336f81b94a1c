"""What the README shows is what results/ holds."""

import itertools
import re
from pathlib import Path

import click

from uda.cli.main import COMMANDS, cli

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


def test_its_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []


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

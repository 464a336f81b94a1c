"""The command ``uda``: finds its subcommands when they are asked for, and shows errors as one sentence."""

from __future__ import annotations

import importlib
from typing import IO, Any

import click

from uda import __version__
from uda.errors import UserError, sentence_of, unknown

COMMANDS = {
    "data": "List, prepare, check and look at domains and protocols.",
    "train": "Train one method on one pair of domains.",
    "benchmark": "Run every run of a recipe that is not finished, and make its table.",
    "choose": "Try the settings that a recipe names, and rank them without target labels.",
    "ablate": "Change one thing after the other in a method, and see what each is worth.",
    "eval": "Evaluate a checkpoint on any split of any domain, or against another.",
    "predict": "Classify image files that have no labels.",
    "verify": "Evaluate stored runs again, or train them again, and compare.",
    "table": "Make a results table, beside published numbers where asked.",
    "plot": "Draw figures of runs and checkpoints: PNG, PDF, SVG.",
    "report": "Write one self-contained HTML page of everything that runs tell.",
    "validators": "Report which label-free validator ranks checkpoints and runs well.",
    "translate": "Draw images translated between the domains, or count those that keep their class.",
    "runs": "List the run folders and export the finished ones.",
    "methods": "List the methods, their papers and presets.",
}


class Failure(click.ClickException):
    """Shows a `UserError` as ``error: <sentence>`` on stderr and exits with 2."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence, and nothing else."""
        click.echo(f"error: {self.message}", file=file, err=file is None)


class Commands(click.Group):
    """A group whose commands are imported from ``uda.cli.NAME`` on demand, so that ``--help`` needs no torch."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Import the command; `UserError` names the nearest one where there is none of that name."""
        if cmd_name not in COMMANDS:
            raise unknown("command", cmd_name, COMMANDS)
        command: click.Command = getattr(importlib.import_module(f"uda.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from their one-liners here, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what is wrong with the input, the file system or memory becomes one sentence."""
        try:
            return super().invoke(ctx)
        except (UserError, OSError, MemoryError) as error:
            if sentence := sentence_of(error):
                raise Failure(sentence) from error
            raise


@click.group("uda", cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="uda")
def cli() -> None:
    """Benchmarks for unsupervised domain adaptation, with UNIT at the core."""


if __name__ == "__main__":
    cli()

"""``uda table``: a results table, beside published numbers."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

import click
from click.core import ParameterSource

from uda.cli.options import headline_option, output_option, published_option, write_or_print
from uda.cli.runs import DEFAULT_RUNS, report_left_out, runs_argument
from uda.errors import UserError
from uda.evaluation.differences import tell_settings
from uda.evaluation.found import write_found
from uda.evaluation.layout import Headline
from uda.evaluation.published import Selection
from uda.evaluation.repick import repick
from uda.evaluation.runs import FoundRuns, find_runs
from uda.evaluation.write import Arrangement, Format
from uda.metrics.validators import find_validator

_SUFFIXES: dict[str, Format] = {".md": "md", ".tex": "latex", ".csv": "csv", ".html": "html"}
_WIDTH = 100
_OF_ACCURACIES = ("brief", "paper", "counterparts")


@click.command("table")
@click.pass_context
@runs_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "latex", "html", "csv", "text"]),
    help="Where it is not given: by the ending of FILE (.md, .tex, .html, .csv), else text.",
)
@click.option(
    "--layout",
    "arrangement",
    type=click.Choice(["methods", "brief", "paper", "cost", "counterparts", "scores"]),
    default="methods",
    show_default=True,
    help="Methods by pairs; the same with one accuracy each; as the UNIT paper's table; what runs cost; each method "
    "beside its published number; or what label-free scores say of each method, and how well they order them.",
)
@published_option
@headline_option
@click.option("--validator", metavar="NAME", help="Show what NAME would have picked, from what the run folders logged.")
@output_option
def table(
    context: click.Context,
    paths: tuple[Path, ...],
    form: Format | None,
    arrangement: Arrangement | Literal["scores"],
    published: Selection,
    headline: Headline,
    validator: str | None,
    output: Path | None,
) -> None:
    """Make a table of finished runs: methods by pairs, mean and deviation over seeds, one table per protocol.

    Runs without an accuracy, as no test image of their target has a label, have a table of what label-free validators
    think of them. RUNS are run folders, folders of them, or a runs.csv; $UDA_RUNS or runs where none is given.
    """
    if validator:
        find_validator(validator)
    found = find_runs(paths or DEFAULT_RUNS)
    check_readable(found)
    if validator and arrangement == "scores":
        raise UserError(f"--validator {validator}: --layout scores has validators beside each other; leave it out")
    if found.unscored and not found.results:
        refuse_accuracies(context)
    if validator and found.results:
        found = repick(found, validator)
    found = tell_settings(found)
    form = form or (_SUFFIXES.get(output.suffix.lower(), "text") if output else "text")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() and not output else _WIDTH
    text = write_found(found, form, published, headline, arrangement, width)
    write_or_print(text, output)
    report_left_out(found if form == "csv" else replace(found, unscored=()))


def check_readable(found: FoundRuns) -> None:
    """Refuse what has no run that could be read, with the first reason."""
    if found.broken and not (found.results or found.missing or found.unscored):
        raise UserError(f"none of {len(found.broken)} runs can be read; {found.broken[0]}")


def refuse_accuracies(context: click.Context) -> None:
    """Refuse options that are of accuracies, where no run has one."""
    for name in ("validator", "arrangement", "published", "headline"):
        value = context.params[name]
        given = context.get_parameter_source(name) is not ParameterSource.DEFAULT
        if given and (name != "arrangement" or value in _OF_ACCURACIES):
            option = "layout" if name == "arrangement" else name
            raise UserError(
                f"--{option} {value}: is of accuracies, and no run here has one, as no test image of the target has a "
                "label; leave it out"
            )

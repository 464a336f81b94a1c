"""``uda table``: a results table, beside published numbers."""

from __future__ import annotations

from pathlib import Path

import click

from uda.cli.runs import DEFAULT_RUNS, report_left_out, runs_argument
from uda.evaluation.layout import Headline
from uda.evaluation.published import Selection
from uda.evaluation.runs import find_runs
from uda.evaluation.write import Format, write_tables

_SUFFIXES: dict[str, Format] = {".md": "md", ".tex": "latex", ".csv": "csv"}


@click.command("table")
@runs_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "latex", "csv", "text"]),
    help="Where it is not given: by the ending of FILE (.md, .tex, .csv), else text.",
)
@click.option(
    "--published",
    type=click.Choice(["main", "all", "none"]),
    default="main",
    show_default=True,
    help="Which published results of the same pairs stand below.",
)
@click.option(
    "--headline",
    type=click.Choice(["last", "validator"]),
    default="last",
    show_default=True,
    help="Which accuracy stands first: at the last step, or at the validator's pick.",
)
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file."
)
def table(
    paths: tuple[Path, ...], form: Format | None, published: Selection, headline: Headline, output: Path | None
) -> None:
    """Make a table of finished runs: methods by pairs, mean and deviation over seeds, one table per protocol.

    RUNS are run folders, folders of them, or a runs.csv; $UDA_RUNS or runs where none is given.
    """
    found = find_runs(paths or DEFAULT_RUNS)
    chosen = form or (_SUFFIXES.get(output.suffix, "text") if output else "text")
    text = write_tables(found.results, chosen, published, headline)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
        click.echo(f"wrote {output}")
    else:
        click.echo(text, nl=False)
    report_left_out(found)

"""``uda report``: one HTML file with tables, figures, protocol, environment, and every run's config."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
from tqdm import tqdm

from uda.cli.options import data_root_option, headline_option, published_option
from uda.cli.runs import DEFAULT_RUNS, report_left_out, runs_argument
from uda.errors import UserError
from uda.evaluation.differences import tell_settings
from uda.evaluation.layout import Headline
from uda.evaluation.published import Selection
from uda.evaluation.report.page import make_report
from uda.evaluation.runs import find_runs


@click.command("report")
@runs_argument
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), required=True, help="An .html."
)
@click.option("--title", default="", help="The pairs' names where it is not given.")
@headline_option
@published_option
@click.option("--no-checkpoints", is_flag=True, help="Draw nothing from checkpoints: quicker, and no data are needed.")
@data_root_option
def report(
    paths: tuple[Path, ...],
    output: Path,
    title: str,
    headline: Headline,
    published: Selection,
    no_checkpoints: bool,
    data_root: Path,
) -> None:
    """Write a report of finished runs: one HTML file that needs no network.

    RUNS are run folders, folders of them, or a runs.csv; $UDA_RUNS or runs where none is given. A figure that the runs
    do not allow is left out, and the report says why.
    """
    if output.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"-o {output}: a report is one HTML file; give it a name that ends in .html")
    found = tell_settings(find_runs(paths or DEFAULT_RUNS))
    page = make_report(
        found,
        data_root,
        title=title,
        headline=headline,
        published=published,
        checkpoints=not no_checkpoints,
        progress=partial(tqdm, desc="figures", disable=not sys.stderr.isatty()),
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page, encoding="utf-8")
    click.echo(f"wrote {output}")
    report_left_out(replace(found, unscored=()))

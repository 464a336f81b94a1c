"""``uda validators``: which label-free validator can be trusted."""

from __future__ import annotations

from pathlib import Path

import click

from uda.cli.options import output_option, write_or_print
from uda.cli.runs import DEFAULT_RUNS, report_broken, report_unfinished, runs_argument
from uda.evaluation.histories import find_histories, write_histories
from uda.evaluation.validator_report import Format, write_study
from uda.evaluation.validator_study import study_validators

_SUFFIXES: dict[str, Format] = {".md": "md", ".csv": "csv"}


@click.command("validators")
@runs_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "md", "csv"]),
    help="Where it is not given: by the ending of FILE (.md, .csv), else text.",
)
@output_option
@click.option(
    "--history",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write every evaluation of RUNS to a CSV file, which can be given as RUNS later.",
)
def validators(paths: tuple[Path, ...], form: Format | None, output: Path | None, history: Path | None) -> None:
    """Report how well each label-free validator ranks the checkpoints of a run, and the runs of a pair.

    The judge is the accuracy on the target test split; correlations are Spearman's, and weighted by Musgrave et al.
    (2022); the regret of a pick is in percentage points.

    RUNS are run folders, folders of them, or a file by --history; $UDA_RUNS or runs where none is given.
    """
    found = find_histories(paths or DEFAULT_RUNS)
    if history:
        lines = write_histories(found.histories, history)
        click.echo(f"{history}: {lines} evaluations of {len(found.histories)} runs", err=output is None)
    chosen = form or (_SUFFIXES.get(output.suffix, "text") if output else "text")
    text = write_study(study_validators(found.histories), chosen)
    write_or_print(text, output)
    report_unfinished(found.unfinished)
    report_broken(found.broken)

"""``uda runs``: list run folders and export finished ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from uda.errors import UserError
from uda.evaluation.runs import FoundRuns, export, find_runs, format_runs
from uda.training.slim import slim

runs_argument = click.argument(
    "paths", metavar="[RUNS]...", nargs=-1, envvar="UDA_RUNS", type=click.Path(path_type=Path)
)
DEFAULT_RUNS = (Path("runs"),)


def report_unfinished(unfinished: Sequence[Path]) -> None:
    """Say on stderr which run folders were left out."""
    if unfinished:
        names = ", ".join(folder.name for folder in unfinished[:5]) + (", …" if len(unfinished) > 5 else "")
        click.echo(f"left out: {len(unfinished)} unfinished ({names})", err=True)


def report_left_out(found: FoundRuns) -> None:
    """Say on stderr which runs have no result, and what could not be read."""
    report_unfinished([run.folder for run in found.missing if run.unfinished])
    for run in found.missing:
        if not run.unfinished:
            click.echo(f"left out: {run.folder.name}: {run.reason}", err=True)
    report_broken(found.broken)
    if found.unscored:
        click.echo(f"left out: {without_accuracy(len(found.unscored))}", err=True)


def report_broken(broken: Sequence[str]) -> None:
    """Say on stderr what could not be read."""
    for sentence in broken:
        click.echo(f"left out: {sentence}", err=True)


def without_accuracy(count: int) -> str:
    """Say that some runs have none, and where they are shown."""
    return (
        f"{count} run{'s' if count > 1 else ''} without an accuracy, as no test image of the target has a label; "
        "`uda table` shows what validators think of such"
    )


def find_scored(paths: tuple[Path, ...]) -> FoundRuns:
    """Find runs for what is made of accuracies; `UserError` where none of those that are finished has one."""
    found = find_runs(paths or DEFAULT_RUNS)
    if found.unscored and not found.results:
        raise UserError(f"nothing but {without_accuracy(len(found.unscored))}")
    return found


@click.group("runs")
def runs() -> None:
    """List run folders, export finished ones, and make a checkpoint small.

    RUNS are run folders, folders of them, or a runs.csv; $UDA_RUNS or runs where none is given.
    """


@runs.command("list")
@runs_argument
def list_runs(paths: tuple[Path, ...]) -> None:
    """List finished runs with their accuracies; name unfinished ones on stderr."""
    found = find_runs(paths or DEFAULT_RUNS)
    click.echo(format_runs((*found.results, *found.unscored)))
    report_left_out(replace(found, unscored=()))


@runs.command("export")
@runs_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("results/runs.csv"),
    show_default=True,
    help="Rows are added to it; no run is written twice.",
)
def export_runs(paths: tuple[Path, ...], output: Path) -> None:
    """Add finished runs to a CSV file, one row each."""
    found = find_runs(paths or DEFAULT_RUNS)
    if not found.results:
        raise UserError(f"nothing to export: {_why_nothing(found)}")
    added = export(found.results, output)
    click.echo(f"{output}: {added} added, {len(found.results) - added} already there")
    report_left_out(found)


def _why_nothing(found: FoundRuns) -> str:
    """Say why none of the runs that were found has a row."""
    if found.unscored:
        return f"there is nothing but {without_accuracy(len(found.unscored))}"
    count = len(found.missing) + len(found.broken)
    first = found.broken[0] if found.broken else f"{found.missing[0].folder.name}: {found.missing[0].reason}"
    return f"{count} run{'s' if count > 1 else ''} and none is finished; {first}"


@runs.command("slim")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("-o", "--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), required=True)
def slim_checkpoint(checkpoint: Path, output: Path) -> None:
    """Write the last step's weights of CHECKPOINT alone, in half precision: to evaluate and translate with."""
    if output.resolve() == checkpoint.resolve():
        raise UserError(f"{output}: is the checkpoint itself, which would be lost to training; give another file")
    size = slim(checkpoint, output)
    click.echo(f"wrote {output}: {size / 2**20:.1f} MiB of {checkpoint.stat().st_size / 2**20:.1f}")

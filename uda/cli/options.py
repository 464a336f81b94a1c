"""Options that more than one command has."""

from __future__ import annotations

from pathlib import Path

import click

data_root_option = click.option(
    "--data-root",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="UDA_DATA",
    default=Path("data"),
    show_default=True,
    show_envvar=True,
    help="Folder of the data sets.",
)

runs_option = click.option(
    "--runs",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="UDA_RUNS",
    default=Path("runs"),
    show_default=True,
    show_envvar=True,
    help="Folder of the run folders.",
)

device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:1; auto is CUDA where there is one."
)

threads_option = click.option(
    "--threads", type=click.IntRange(min=1), help="CPU threads; torch decides where it is not given."
)

weights_option = click.option(
    "--weights",
    type=click.Choice(["last", "pick"]),
    default="last",
    show_default=True,
    help="Those of the last step or of the validator's pick.",
)

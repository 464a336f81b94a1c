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

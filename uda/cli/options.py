"""Options that more than one command has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from uda.errors import UserError

_MOST_SEEDS = 1000

Command = TypeVar("Command", bound=Callable[..., Any])

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
    "--threads",
    type=click.IntRange(min=1),
    help="CPU threads of a run; where neither this nor OMP_NUM_THREADS says, runs beside each other have one each, and "
    "a probe decides for one alone.",
)

jobs_option = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    envvar="UDA_JOBS",
    show_envvar=True,
    help="Runs at a time; where it is not given, as many as a CPU has cores for, by their threads.",
)

methods_option = click.option(
    "--methods", metavar="NAME,NAME", default="", help="Only these methods of the recipe; NAME:PRESET for one preset."
)

checkpoint_option = click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    required=True,
    help="checkpoint.pt of a run; nothing else of it is needed.",
)

weights_option = click.option(
    "--weights",
    type=click.Choice(["last", "pick"]),
    default="last",
    show_default=True,
    help="Those of the last step or of the validator's pick.",
)

published_option = click.option(
    "--published",
    type=click.Choice(["main", "all", "none"]),
    default="main",
    show_default=True,
    help="Which published results of the same pairs stand below.",
)

headline_option = click.option(
    "--headline",
    type=click.Choice(["last", "validator"]),
    default="last",
    show_default=True,
    help="Which accuracy stands first: at the last step, or at the validator's pick.",
)

output_option = click.option(
    "-o", "--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file."
)


def write_or_print(text: str, output: Path | None) -> None:
    """Write a text to a file, whose folder is made, and say so; print it where there is no file."""
    if output is None:
        click.echo(text, nl=False)
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    click.echo(f"wrote {output}")


def parse_names(text: str) -> list[str]:
    """Parse "dann,unit" into names, in that order."""
    return [name for name in (part.strip() for part in text.split(",")) if name]


def results_option(contents: str) -> Callable[[Command], Command]:
    """Return the option for the results folder, whose help says what is put there."""
    return click.option(
        "--results",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("results"),
        show_default=True,
        help=contents,
    )


def parse_seeds(text: str) -> list[int]:
    """Parse "0-4", "1,2" or "1,5-7" into seeds, in that order, each once.

    Raises
    ------
    UserError
        For anything else, but an empty text.
    """
    seeds: list[int] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or int(last or first) < int(first):
            raise UserError(f"--seeds {text}: give whole numbers, for example --seeds 1,2 or --seeds 0-4")
        if int(last or first) - int(first) >= _MOST_SEEDS:
            raise UserError(f"--seeds {text}: names more than {_MOST_SEEDS:,} seeds; give fewer")
        seeds += range(int(first), int(last or first) + 1)
    if text and not seeds:
        raise UserError(f"--seeds {text}: names no seed; give whole numbers, for example --seeds 1,2")
    return list(dict.fromkeys(seeds))

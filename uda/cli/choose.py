"""``uda choose``: try the settings that a recipe names on a seed of their own, ranked by a label-free validator."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from uda.cli.options import (
    data_root_option,
    device_option,
    jobs_option,
    methods_option,
    parse_names,
    results_option,
    runs_option,
    threads_option,
)
from uda.cli.train import typed_command
from uda.errors import UserError
from uda.sweeps.choosing import choice_runs, judge, write_choices
from uda.sweeps.recipe import load_recipe
from uda.sweeps.runner import sweep, title
from uda.training.devices import pin_threads
from uda.training.pool import runs_at_a_time


@click.command("choose")
@click.argument("path", metavar="RECIPE", type=click.Path(path_type=Path))
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="One that is not reported.")
@methods_option
@results_option("Folder for NAME-choices.md.")
@runs_option
@data_root_option
@device_option
@threads_option
@jobs_option
def choose(
    path: Path,
    seed: int,
    methods: str,
    results: Path,
    runs: Path,
    data_root: Path,
    device: str,
    threads: int | None,
    jobs: int | None,
) -> None:
    """Try what the entries of RECIPE have under choices, and rank it by the label-free validator.

    Nothing is changed in RECIPE: put the best settings into its entries by hand. No accuracy is shown.
    """
    recipe = load_recipe(path)
    wanted = choice_runs(recipe, seed, parse_names(methods))
    if threads:
        pin_threads(threads)
    swept = sweep(
        [config for _, configs in wanted for config in configs],
        data_root,
        runs,
        None,
        click.echo,
        device=device,
        jobs=jobs or runs_at_a_time(device, threads),
        threads=threads,
        command=typed_command(),
        quiet=not sys.stderr.isatty(),
    )
    every = choice_runs(recipe, seed)
    judged = [(choice, judge(choice, configs, runs)) for choice, configs in every]
    click.echo("\n" + write_choices(recipe, judged, seed, "text"))
    results.mkdir(parents=True, exist_ok=True)
    written = results / f"{recipe.name}-choices.md"
    written.write_text(write_choices(recipe, judged, seed, "md"), encoding="utf-8")
    click.echo(f"wrote {written}")
    if swept.failures:
        raise UserError("; ".join(f"{title(config)}: {reason}" for config, reason in swept.failures))

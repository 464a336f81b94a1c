"""``uda choose``: try the settings that a recipe names on a seed of their own, ranked by a label-free validator."""

from __future__ import annotations

from pathlib import Path

import click

from uda.cli.options import (
    data_root_option,
    device_option,
    jobs_option,
    methods_option,
    parse_names,
    parse_seeds,
    results_option,
    runs_option,
    threads_option,
)
from uda.cli.workplace import warn_of_precision, workplace
from uda.errors import UserError
from uda.evaluation.folders import CHOICES
from uda.metrics.validators import find_validator
from uda.sweeps.choosing import choice_runs, judge, trial_names, write_choices
from uda.sweeps.recipe import load_recipe
from uda.sweeps.runner import reasons, sweep


@click.command("choose")
@click.argument("path", metavar="RECIPE", type=click.Path(path_type=Path))
@click.option(
    "--seeds",
    "--seed",
    metavar="SEEDS",
    default="0",
    show_default=True,
    help="Seeds not reported: 0 or 0,4-6.",
)
@methods_option
@click.option("--validator", help="The one that ranks; the recipe's where it is not given.")
@results_option("Folder for NAME-choices.md.")
@runs_option
@data_root_option
@device_option
@threads_option
@jobs_option
def choose(
    path: Path,
    seeds: str,
    methods: str,
    validator: str | None,
    results: Path,
    runs: Path,
    data_root: Path,
    device: str,
    threads: int | None,
    jobs: int | None,
) -> None:
    """Try what the entries of RECIPE have under choices, and rank it by a label-free validator.

    All validators are logged, so a finished trial is ranked again by another one without training: give one that no
    setting trains on. Of several seeds the mean ranks. Nothing is changed in RECIPE: put the best settings into its
    entries by hand. No accuracy is shown. Trials lie in a folder "choices" in that of the runs, so that no table or
    figure of those runs counts them.
    """
    runs = runs / CHOICES
    recipe = load_recipe(path)
    validator = validator or recipe.configs[0].validator
    find_validator(validator)
    tried_on = parse_seeds(seeds)
    wanted = choice_runs(recipe, tried_on, parse_names(methods))
    # one seed of all after the other, so that what is stopped early compares all
    configs = [of_seeds[n] for n in range(len(tried_on)) for _, tried in wanted for of_seeds in tried]
    place = workplace(data_root, runs, device, threads, jobs)
    warn_of_precision(configs, place)
    names = trial_names(wanted)
    swept = sweep(configs, place, None, click.echo, lambda config: names[config.hash])
    every = choice_runs(recipe, tried_on)
    judged = [(choice, judge(choice, tried, runs, validator)) for choice, tried in every]
    click.echo("\n" + write_choices(recipe, judged, tried_on, validator, "text"))
    results.mkdir(parents=True, exist_ok=True)
    written = results / f"{recipe.name}-choices.md"
    written.write_text(write_choices(recipe, judged, tried_on, validator, "md"), encoding="utf-8")
    click.echo(f"wrote {written}")
    if swept.failures:
        raise UserError(reasons(swept.failures, lambda config: names[config.hash]))

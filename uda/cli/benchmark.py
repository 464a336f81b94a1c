"""``uda benchmark``: every run of a recipe, and its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from uda.atomic import write_text
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
from uda.evaluation.differences import tell_settings
from uda.evaluation.runs import FoundRuns, find_runs
from uda.evaluation.scores import write_scores
from uda.evaluation.write import write_tables
from uda.sweeps.recipe import Recipe, load_recipe
from uda.sweeps.report import KEPT, recorded, write_report, write_together, write_translations
from uda.sweeps.runner import Sweep, Workplace, left_to_another, reasons, rows_kept, sweep, title
from uda.sweeps.swaps import swap_warnings
from uda.sweeps.translations import measure_kept
from uda.sweeps.unlabelled import lacks_labels, without_target_labels
from uda.training.config import RunConfig
from uda.training.record import is_finished


@click.command("benchmark")
@click.argument("recipes", metavar="RECIPE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--seeds",
    metavar="SEEDS",
    default="",
    help="Only these: 1,2 or 0-4. One that the recipe does not have runs every entry, outside its tables.",
)
@methods_option
@results_option("Folder of runs.csv, the tables and the pictures.")
@click.option("--together", metavar="NAME", default="", help="Write tables of all these recipes too, RESULTS/NAME.*")
@click.option("--dry-run", is_flag=True, help="Say what would be run, and run nothing.")
@click.option("--tables", is_flag=True, help="Only write the tables again, from runs.csv in the results folder.")
@runs_option
@data_root_option
@device_option
@threads_option
@jobs_option
def benchmark(
    recipes: tuple[Path, ...],
    seeds: str,
    methods: str,
    results: Path,
    together: str,
    dry_run: bool,
    tables: bool,
    runs: Path,
    data_root: Path,
    device: str,
    threads: int | None,
    jobs: int | None,
) -> None:
    """Make every run of each RECIPE that is not finished, then print its table.

    What was interrupted goes on where it stopped, so the same command may be given again; started twice, the two
    share the work. Each finished run is added to RESULTS/runs.csv, from which the tables in RESULTS are made. Where no
    test image of the target has a label, RESULTS/NAME-scores.md has what label-free validators think.
    """
    if tables and (seeds or methods):
        raise UserError("--tables writes those of all runs: leave --seeds and --methods out")
    if dry_run and (tables or together):
        raise UserError("--dry-run writes nothing: leave --tables and --together out")
    check_names(recipes, together)
    place = workplace(data_root, runs, device, threads, jobs)
    failed = []
    selected = [select(path, seeds, methods) for path in recipes]
    if not tables:
        selected = [(recipe, leave_out(recipe, configs, place)) for recipe, configs in selected]
    for recipe, configs in selected:
        if dry_run:
            click.echo(plan(configs, runs))
        elif tables:
            written = write_report(recipe, results) + write_unscored(recipe, [], results, place)
            click.echo(wrote(recipe.name, [recipe], written, place))
        else:
            failed += run_recipe(recipe, configs, results, place)
    if together and not dry_run:
        all_recipes = [recipe for recipe, _ in selected]
        click.echo(wrote(together, all_recipes, write_together(together, all_recipes, results), place))
    if failed:
        raise UserError("; ".join(failed))


def check_names(recipes: tuple[Path, ...], together: str) -> None:
    """Refuse recipes whose tables would have one name, so that the last would be all that is left."""
    names = [path.stem for path in recipes] + ([together] if together else [])
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise UserError(f"two tables would be named {twice}: rename a recipe, or give another --together NAME")


def select(path: Path, seeds: str, methods: str) -> tuple[Recipe, list[RunConfig]]:
    """Read a recipe and pick the runs that were asked for."""
    recipe = load_recipe(path)
    configs = recipe.select(parse_seeds(seeds), parse_names(methods))
    if not configs:
        raise UserError(f"{path}: no run has one of the seeds {seeds} and one of the methods {methods}")
    return recipe, configs


def leave_out(recipe: Recipe, configs: list[RunConfig], place: Workplace) -> list[RunConfig]:
    """Leave out runs that learn from labels which the target does not have, and say so on stderr.

    Raises
    ------
    UserError
        Where no other is left.
    """
    left, reason = without_target_labels(configs, place)
    if not left:
        raise UserError(f"{recipe.path}: there is nothing to run but {reason}; run another method")
    if reason:
        click.echo(f"left out: {reason}", err=True)
    return left


def plan(configs: list[RunConfig], runs: Path) -> str:
    """Return one line per run: its state, what it is, its length and its folder."""
    lines = []
    for config in configs:
        folder = runs / config.name
        done, begun = ((folder / name).exists() for name in ("result.json", "checkpoint.pt"))
        state = "finished" if done else "interrupted" if begun else "to do"
        lines.append(f"{state:<11}  {title(config):<32}  {config.steps:>7,} steps  {folder}")
    return "\n".join(lines)


def wrote(name: str, recipes: Sequence[Recipe], paths: list[Path], place: Workplace) -> str:
    """Say what was written for a recipe, or for several, or why nothing was."""
    if paths:
        return "wrote " + ", ".join(map(str, paths))
    if find_unscored([config for recipe in recipes for config in recipe.configs], place.runs).unscored:
        return f"{name}: no finished run of these recipes has an accuracy, which tables of several recipes show"
    unlabelled = any(lacks_labels(recipe.target, "test", place.root) for recipe in recipes)
    where = f"runs.csv or {place.runs}" if unlabelled else "runs.csv"
    return f"{name}: no finished run of the recipe's own seeds in {where} yet"


def run_recipe(recipe: Recipe, configs: list[RunConfig], results: Path, place: Workplace) -> list[str]:
    """Run and report one recipe; return one sentence where any of its runs failed."""
    before = {row.config_hash: row for row in recorded(recipe, results / "runs.csv")}
    warn_of_precision(configs, place)
    swept = sweep(configs, place, results / "runs.csv", click.echo)
    scored = [result for result in swept.results if result.scored]
    if scored:
        click.echo("\n" + write_tables(scored))
        judge_translations(recipe, configs, swept, results, place)
    scores = write_unscored(recipe, configs, results, place) if len(scored) < len(swept.results) else []
    for warning in swap_warnings(recipe, swept.trained, place.runs, place.root):
        click.echo(warning)
    if swept.results:
        written = scores + (write_report(recipe, results) if scored else [])
        click.echo(wrote(recipe.name, [recipe], written, place))
        picture = results / f"{recipe.name}-translations.png"
        if write_translations(recipe, place.runs, place.root, picture, swept.trained):
            click.echo(f"wrote {picture}")
    if kept := rows_kept(results / "runs.csv", before, scored):
        click.echo(kept)
    if swept.busy:
        click.echo(left_to_another(len(swept.busy)))
    if not swept.failures:
        return []
    return [f"{len(swept.failures)} of {len(configs)} runs of {recipe.name} failed ({reasons(swept.failures)})"]


def write_unscored(recipe: Recipe, configs: list[RunConfig], results: Path, place: Workplace) -> list[Path]:
    """Show what validators think of the runs that have no accuracy, and write it down for all that the recipe has."""
    found = find_unscored([*configs, *recipe.configs], place.runs)
    shown, of_recipe = (of_configs(found, some) for some in (configs, recipe.configs))
    if shown.unscored:
        click.echo("\n" + write_scores(shown))
    if not of_recipe.unscored:
        return []
    results.mkdir(parents=True, exist_ok=True)
    path = results / f"{recipe.name}-scores.md"
    write_text(path, write_scores(of_recipe, "md"))
    return [path]


def find_unscored(configs: Sequence[RunConfig], runs: Path) -> FoundRuns:
    """Find those of some runs that are finished without an accuracy."""
    finished = dict.fromkeys(runs / config.name for config in configs if is_finished(runs, config))
    return replace(find_runs(finished), results=())


def of_configs(found: FoundRuns, configs: Sequence[RunConfig]) -> FoundRuns:
    """Keep the runs of some configs, and say in which settings they differ."""
    hashes = {config.hash for config in configs}
    return tell_settings(replace(found, unscored=tuple(run for run in found.unscored if run.config_hash in hashes)))


def judge_translations(recipe: Recipe, configs: list[RunConfig], swept: Sweep, results: Path, place: Workplace) -> None:
    """Count the classes that translations keep, of finished runs that can translate, where there are judges."""
    if not any(config.method == "target-only" for config in recipe.configs):
        return
    done = {result.config_hash for result in swept.results}
    finished = [config for config in configs if config.hash in done]
    for config, reason in measure_kept(recipe, finished, place.runs, place.root, results / KEPT):
        click.echo(f"{title(config)}: its translations are not judged: {reason}")

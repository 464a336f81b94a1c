"""``uda benchmark``: every run of a recipe, and its table."""

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
from uda.evaluation.write import write_tables
from uda.sweeps.recipe import Recipe, load_recipe
from uda.sweeps.report import KEPT, recorded, write_report, write_together, write_translations
from uda.sweeps.runner import Sweep, Workplace, left_to_another, reasons, sweep, title
from uda.sweeps.swaps import swap_warnings
from uda.sweeps.translations import measure_kept
from uda.training.config import RunConfig


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
    share the work. Each finished run is added to RESULTS/runs.csv, from which the tables in RESULTS are made.
    """
    if tables and (seeds or methods):
        raise UserError("--tables writes those of all runs: leave --seeds and --methods out")
    if dry_run and (tables or together):
        raise UserError("--dry-run writes nothing: leave --tables and --together out")
    check_names(recipes, together)
    place = workplace(data_root, runs, device, threads, jobs)
    failed = []
    selected = [select(path, seeds, methods) for path in recipes]
    for recipe, configs in selected:
        if dry_run:
            click.echo(plan(configs, runs))
        elif tables:
            click.echo(wrote(recipe.name, write_report(recipe, results)))
        else:
            failed += run_recipe(recipe, configs, results, place)
    if together and not dry_run:
        click.echo(wrote(together, write_together(together, [recipe for recipe, _ in selected], results)))
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


def plan(configs: list[RunConfig], runs: Path) -> str:
    """Return one line per run: its state, what it is, its length and its folder."""
    lines = []
    for config in configs:
        folder = runs / config.name
        done, begun = ((folder / name).exists() for name in ("result.json", "checkpoint.pt"))
        state = "finished" if done else "interrupted" if begun else "to do"
        lines.append(f"{state:<11}  {title(config):<32}  {config.steps:>7,} steps  {folder}")
    return "\n".join(lines)


def wrote(name: str, paths: list[Path]) -> str:
    """Say what was written for a recipe, or for several."""
    if not paths:
        return f"{name}: no finished run of the recipe's own seeds in runs.csv yet"
    return "wrote " + ", ".join(map(str, paths))


def run_recipe(recipe: Recipe, configs: list[RunConfig], results: Path, place: Workplace) -> list[str]:
    """Run and report one recipe; return one sentence where any of its runs failed."""
    before = {row.config_hash: row for row in recorded(recipe, results / "runs.csv")}
    warn_of_precision(configs, place)
    swept = sweep(configs, place, results / "runs.csv", click.echo)
    if swept.results:
        click.echo("\n" + write_tables(swept.results))
        judge_translations(recipe, configs, swept, results, place)
        for warning in swap_warnings(recipe, swept.trained, place.runs, place.root):
            click.echo(warning)
        click.echo(wrote(recipe.name, write_report(recipe, results)))
        picture = results / f"{recipe.name}-translations.png"
        if write_translations(recipe, place.runs, place.root, picture, swept.trained):
            click.echo(f"wrote {picture}")
    kept = sum(before.get(row.config_hash, row) != row for row in swept.results)
    if kept:
        click.echo(f"{results / 'runs.csv'} keeps its own rows of {kept} runs that were made again here")
    if swept.busy:
        click.echo(left_to_another(len(swept.busy)))
    if not swept.failures:
        return []
    return [f"{len(swept.failures)} of {len(configs)} runs of {recipe.name} failed ({reasons(swept.failures)})"]


def judge_translations(recipe: Recipe, configs: list[RunConfig], swept: Sweep, results: Path, place: Workplace) -> None:
    """Count the classes that translations keep, of finished runs that can translate, where there are judges."""
    if not any(config.method == "target-only" for config in recipe.configs):
        return
    done = {result.config_hash for result in swept.results}
    finished = [config for config in configs if config.hash in done]
    for config, reason in measure_kept(recipe, finished, place.runs, place.root, results / KEPT):
        click.echo(f"{title(config)}: its translations are not judged: {reason}")

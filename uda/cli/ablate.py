"""``uda ablate``: a recipe's entry with one thing after the other changed."""

from __future__ import annotations

from pathlib import Path

import click

from uda.cli.options import (
    data_root_option,
    device_option,
    jobs_option,
    parse_seeds,
    results_option,
    runs_option,
    threads_option,
)
from uda.cli.workplace import warn_of_precision, workplace
from uda.errors import UserError
from uda.evaluation.runs import read_csv
from uda.sweeps.ablating import draw_ablations, find, write_ablations
from uda.sweeps.recipe import Recipe, load_recipe
from uda.sweeps.runner import Workplace, left_to_another, rows_kept, sweep, title
from uda.sweeps.translations import judges, measure_kept, read_kept
from uda.sweeps.unlabelled import lacks_labels, without_target_labels
from uda.training.config import RunConfig


@click.command("ablate")
@click.argument("path", metavar="RECIPE", type=click.Path(path_type=Path))
@click.option("--seeds", metavar="SEEDS", default="", help="Only these of the recipe's: 1,2 or 1-3.")
@click.option("--only", metavar="TEXT", default="", help="Only ablations whose name has this in it.")
@click.option("--judge/--no-judge", default=True, help="Whether classifiers of real images read what runs translate.")
@click.option("--tables", is_flag=True, help="Only write the table again, from the CSV files in the results folder.")
@results_option("Folder for NAME-ablations.md, .csv, .png and -kept.csv.")
@runs_option
@data_root_option
@device_option
@threads_option
@jobs_option
def ablate(
    path: Path,
    seeds: str,
    only: str,
    judge: bool,
    tables: bool,
    results: Path,
    runs: Path,
    data_root: Path,
    device: str,
    threads: int | None,
    jobs: int | None,
) -> None:
    """Train what the entry of RECIPE that has ablations lists, each beside the entry as it is.

    One seed of all is made after the other, so a study that is stopped early compares all. With the recipe's
    target-only run, which is made first, it counts the translations that keep their class.
    """
    if tables and (seeds or only):
        raise UserError("--tables writes that of all runs: leave --seeds and --only out")
    recipe = load_recipe(path)
    wanted = chosen(recipe, seeds, only)
    table, kept = (results / f"{recipe.name}-ablations{ending}" for ending in (".csv", "-kept.csv"))
    failed: list[str] = []
    if not tables:
        place = workplace(data_root, runs, device, threads, jobs)
        if lacks_labels(recipe.target, "test", data_root):
            raise without_accuracies(recipe)
        readers = readers_of(recipe, place) if judge else []
        results.mkdir(parents=True, exist_ok=True)
        names = {config.hash: f"{title(config)}, {one.name}" for one in recipe.ablations for config in one.configs}
        warn_of_precision([*readers, *wanted], place)
        before = {row.config_hash: row for row in read_csv(table)} if table.exists() else {}
        judged = sweep(readers, place, results / "runs.csv", click.echo)
        made = sweep(wanted, place, table, click.echo, lambda config: names[config.hash])
        failures = [*judged.failures, *made.failures]
        if judge:
            done = {result.config_hash for result in made.results}
            finished = [config for config in wanted if config.hash in done]
            failures += measure_kept(recipe, finished, runs, data_root, kept)
        if rows := rows_kept(table, before, made.results):
            click.echo(rows)
        if busy := len(judged.busy + made.busy):
            click.echo(left_to_another(busy))
        if any(not result.scored for result in made.results):
            raise without_accuracies(recipe)
        failed = [f"{names.get(config.hash) or title(config)}: {reason}" for config, reason in failures]
    findings = find(recipe, read_csv(table) if table.exists() else [], read_kept(kept))
    if any(finding.results for finding in findings) or not failed:
        click.echo("\n" + write_ablations(recipe, findings, "text"))
        written = results / f"{recipe.name}-ablations.md"
        written.write_text(write_ablations(recipe, findings, "md"), encoding="utf-8")
        click.echo(f"wrote {written}")
    if failed:
        raise UserError("; ".join(failed))
    picture = results / f"{recipe.name}-ablations.png"
    if judge and not tables and draw_ablations(recipe, runs, data_root, picture):
        click.echo(f"wrote {picture}")


def chosen(recipe: Recipe, seeds: str, only: str) -> list[RunConfig]:
    """Return the runs that were asked for, one seed of all ablations after the other.

    Raises
    ------
    UserError
        For a recipe without ablations, a seed that its entry does not have, or a text that no name has.
    """
    if not recipe.ablations:
        raise UserError(f"{recipe.path}: no entry of it has ablations, a list of things to change")
    named = [ablation for ablation in recipe.ablations if only in ablation.name]
    if not named:
        names = ", ".join(ablation.name for ablation in recipe.ablations)
        raise UserError(f"--only {only}: no ablation of {recipe.path} has that in its name; they are: {names}")
    known = [config.seed for config in recipe.ablations[0].configs]
    if strangers := sorted(set(parse_seeds(seeds)) - set(known)):
        raise UserError(f"--seeds {strangers[0]}: {recipe.path} has {', '.join(map(str, known))}")
    asked = parse_seeds(seeds) or known
    return [config for seed in zip(*(a.configs for a in named), strict=True) for config in seed if config.seed in asked]


def without_accuracies(recipe: Recipe) -> UserError:
    """Build the error for ablations whose runs have no accuracy."""
    return UserError(f"{recipe.path}: ablations are compared by accuracy: {recipe.target} has no test labels")


def readers_of(recipe: Recipe, place: Workplace) -> list[RunConfig]:
    """Return the runs that judge translated images; `UserError` where there are none, or one of them has no labels."""
    readers = [config for config in judges(recipe) if config]
    _, reason = without_target_labels(readers, place)
    if reason:
        raise UserError(f"{recipe.path}: translated images are judged by {reason}; give --no-judge")
    return readers

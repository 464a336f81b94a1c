"""``uda train``: one method on one pair, one seed or several."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path
from typing import Any

import click

from uda.cli.options import data_root_option, device_option, parse_seeds, runs_option, threads_option
from uda.cli.workplace import warn_of_precision, workplace
from uda.data.domains import find_domain
from uda.errors import UserError
from uda.evaluation.history import read_history
from uda.evaluation.runs import RunResult
from uda.metrics.predicted import warn_of_rare
from uda.sweeps.outdated import DataNow
from uda.sweeps.runner import reasons, sweep
from uda.training.config import RunConfig
from uda.training.resolve import RUN_DEFAULTS, resolve
from uda.training.starts import describe_starts, read_starts


@click.command("train")
@click.option("--source", required=True, help="Domain with labels.")
@click.option("--target", required=True, help="Domain without.")
@click.option("--method", required=True, help="See uda methods.")
@click.option("--preset", default="default", show_default=True, help="Named settings of the method.")
@click.option("--protocol", default="standard", show_default=True, help="See uda data list.")
@click.option("--seed", type=int, help="1 where neither this nor --seeds is given.")
@click.option("--seeds", metavar="SEEDS", default="", help="Several seeds at once: 1,2 or 0-4.")
@click.option("--steps", type=int, help=f"Updates; {RUN_DEFAULTS['steps']} where the preset does not say.")
@click.option("--batch-size", type=int, help=f"Per domain; {RUN_DEFAULTS['batch_size']} likewise.")
@click.option("--precision", help="fp32, bf16 or auto, the last where the preset does not say.")
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="A setting of the method, of the run, or augmentation.KEY; may be given more than once.",
)
@runs_option
@data_root_option
@device_option
@threads_option
def train(
    source: str,
    target: str,
    method: str,
    preset: str,
    protocol: str,
    seed: int | None,
    seeds: str,
    steps: int | None,
    batch_size: int | None,
    precision: str | None,
    settings: tuple[str, ...],
    runs: Path,
    data_root: Path,
    device: str,
    threads: int | None,
) -> None:
    """Train one method on one pair of domains and print its target test accuracy, where that has labels.

    The run of each seed goes to a folder of its own. The same command again resumes what was interrupted, and shows
    what is finished. Several seeds share a GPU; on a CPU each has one thread, or as many as --threads says.
    """
    given = {"steps": steps, "batch_size": batch_size, "precision": precision}
    overrides = parse_settings(settings) | {key: value for key, value in given.items() if value is not None}
    if seed is not None and seeds:
        raise UserError(f"--seed {seed} and --seeds {seeds} were both given: give one of them")
    configs = [
        resolve(method, source, target, preset=preset, protocol=protocol, seed=each, overrides=overrides, device=device)
        for each in parse_seeds(seeds) or [1 if seed is None else seed]
    ]
    place = workplace(data_root, runs, device, threads)
    warn_of_precision(configs, place)
    several = len(configs) > 1
    swept = sweep(configs, place, None, say_on_stderr if several else say_nothing, call=seed_of)
    results = {result.config_hash: result for result in swept.results}
    for config in configs:
        if config.hash in results:
            show(config, results[config.hash], runs / config.name, several)
        if not several and config.hash not in swept.trained:
            warn_of_changes(config, runs / config.name, data_root)
    busy = [(config, f"{runs / config.name}: another process is making this very run") for config in swept.busy]
    if failed := busy + swept.failures:
        raise UserError(reasons(failed, seed_of) if several else failed[0][1])


def seed_of(config: RunConfig) -> str:
    """Return what a run is called among those that differ in nothing else."""
    return f"seed {config.seed}"


def say_on_stderr(line: str) -> None:
    """Print a line of progress where it does not mix with the results."""
    click.echo(line, err=True)


def say_nothing(line: str) -> None:
    """Leave a line of progress out: one run has a bar."""


def show(config: RunConfig, result: RunResult, folder: Path, several: bool) -> None:
    """Print what a run reached, which start was kept and where it is; on stderr, the classes that it hardly predicts.

    Of several runs the seed stands above.
    """
    if several:
        click.echo(seed_of(config))
    click.echo(describe(result, folder))
    if starts := read_starts(folder):
        click.echo(describe_starts(starts, config))
    if warning := warn_of_rare(read_history(folder)[-1].predicted):
        click.echo(warning, err=True)
    click.echo(f"run folder: {folder}")


def warn_of_changes(config: RunConfig, folder: Path, root: Path) -> None:
    """Say on stderr where a run that was finished before has read other data than there are now."""
    if reason := DataNow(root).outdated(config, folder):
        click.echo(f"this run was finished before, {reason}", err=True)


def parse_settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """Parse ``key=value`` texts; a value is a TOML literal, or a name where it is none.

    Raises
    ------
    UserError
        For a text without ``=``.
    """
    parsed = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not (equals and key and text):
            raise UserError(f"--set {setting}: give it as KEY=VALUE, for example --set width=16")
        parsed[key.strip()] = parse_value(text.strip())
    return parsed


def parse_value(text: str) -> Any:
    """Return the value of a TOML literal, or the text itself where it is none."""
    try:
        table = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return table["value"] if len(table) == 1 else text


def describe(result: RunResult, folder: Path) -> str:
    """Say what a run in a folder reached, the headline first and the oracle named as such."""
    if not result.scored:
        return (
            f"no accuracy: no test image of {result.target} has a label (uda predict says what they are taken for: "
            f"{predict_command(result.target, folder)}; uda table, what validators think of the run)\n"
            f"  step {result.validator_step:,} of {result.steps:,} was picked by {result.validator}"
        )
    return (
        f"target test accuracy: {result.accuracy_last:.2f} % at the last step ({result.steps:,})\n"
        f"  {result.accuracy_validator:.2f} % at step {result.validator_step:,}, picked by {result.validator}\n"
        f"  {result.accuracy_oracle:.2f} % at step {result.oracle_step:,}, the oracle's pick (sees target labels)"
    )


def predict_command(target: str, folder: Path) -> str:
    """Return the command that classifies the test images of a user's own target by the run in a folder."""
    (place,) = find_domain(target).files(Path(), "test")
    images = target if target.startswith("npz:") else str(place)
    return shlex.join(["uda", "predict", images, "--checkpoint", str(folder / "checkpoint.pt")])

"""``uda train``: one method on one pair, one seed."""

from __future__ import annotations

import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import torch

from uda.cli.options import data_root_option, device_option, runs_option, threads_option
from uda.errors import UserError
from uda.evaluation.runs import RunResult, read_result
from uda.training.claim import claim
from uda.training.resolve import RUN_DEFAULTS, resolve
from uda.training.run import train as make_run


@click.command("train")
@click.option("--source", required=True, help="Domain with labels.")
@click.option("--target", required=True, help="Domain without.")
@click.option("--method", required=True, help="See uda methods.")
@click.option("--preset", default="default", show_default=True, help="Named settings of the method.")
@click.option("--protocol", default="standard", show_default=True, help="See uda data list.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--steps", type=int, help=f"Updates; {RUN_DEFAULTS['steps']} where the preset does not say.")
@click.option("--batch-size", type=int, help=f"Per domain; {RUN_DEFAULTS['batch_size']} likewise.")
@click.option("--precision", help="fp32, bf16 or auto.")
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
    seed: int,
    steps: int | None,
    batch_size: int | None,
    precision: str | None,
    settings: tuple[str, ...],
    runs: Path,
    data_root: Path,
    device: str,
    threads: int | None,
) -> None:
    """Train one method on one pair of domains and print its target test accuracy.

    The run goes to a folder of its own. The same command again resumes what was interrupted, and shows what is
    finished.
    """
    given = {"steps": steps, "batch_size": batch_size, "precision": precision}
    overrides = parse_settings(settings) | {key: value for key, value in given.items() if value is not None}
    config = resolve(
        method,
        source,
        target,
        preset=preset,
        protocol=protocol,
        seed=seed,
        overrides=overrides,
        device=device,
    )
    if threads:
        torch.set_num_threads(threads)
    with claim(runs / config.name) as ours:
        if not ours:
            raise UserError(f"{runs / config.name}: another process is making this very run")
        folder = make_run(
            config, data_root, runs, device=device, command=typed_command(), quiet=not sys.stderr.isatty()
        )
    click.echo(describe(read_result(folder)))
    click.echo(f"run folder: {folder}")


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


def typed_command() -> str:
    """Return what was typed, for the record of a run."""
    return shlex.join(["uda", *sys.argv[1:]])


def describe(result: RunResult) -> str:
    """Say what a run reached, the headline first and the oracle named as such."""
    return (
        f"target test accuracy: {result.accuracy_last:.2f} % at the last step ({result.steps:,})\n"
        f"  {result.accuracy_validator:.2f} % at step {result.validator_step:,}, picked by {result.validator}\n"
        f"  {result.accuracy_oracle:.2f} % at step {result.oracle_step:,}, the oracle's pick (sees target labels)"
    )

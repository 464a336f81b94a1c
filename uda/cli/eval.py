"""``uda eval``: evaluate a checkpoint on the target test split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from uda.cli.options import data_root_option, weights_option
from uda.evaluation.evaluate import evaluate, format_evaluation


@click.command("eval")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    required=True,
    help="checkpoint.pt of a run; nothing else is needed.",
)
@weights_option
@data_root_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def evaluate_command(checkpoint: Path, weights: Literal["last", "pick"], data_root: Path, as_json: bool) -> None:
    """Evaluate a checkpoint on the target test split: accuracy, accuracy per class, confusion matrix."""
    evaluation = evaluate(checkpoint, weights, data_root)
    click.echo(json.dumps(evaluation.to_dict(), indent=2) if as_json else format_evaluation(evaluation))


# The group looks for a command under the name that is typed.
eval = evaluate_command

"""``uda eval``: evaluate a checkpoint on any split of any domain."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from uda.cli.options import checkpoint_option, data_root_option, weights_option
from uda.errors import UserError
from uda.evaluation.classify import Classified, Weights, classify
from uda.evaluation.compare import compare, describe_comparison
from uda.evaluation.describe import describe_evaluation
from uda.evaluation.evaluate import evaluate
from uda.evaluation.images import Choice, Side
from uda.evaluation.picture import check_name, save
from uda.evaluation.predictions import check_predictions_name, prediction_table, write_table
from uda.evaluation.worst import Mistake, draw_worst, find_worst


@click.command("eval")
@checkpoint_option
@weights_option
@click.option("--domain", help="What to evaluate on; the run's target where it is not given.")
@click.option(
    "--split",
    default="test",
    show_default=True,
    help="train, test, or whatever else the domain has; val for what the run's validators see of its source.",
)
@click.option(
    "--as",
    "side",
    type=click.Choice(["source", "target"]),
    help="Whose size, channels and networks the images go through; "
    "source where the domain is the run's source, else target.",
)
@click.option(
    "--against",
    metavar="OTHER.pt",
    type=click.Path(path_type=Path),
    help="Another checkpoint, compared image by image (exact McNemar test).",
)
@click.option(
    "--predictions",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write one row per image to a .csv or .parquet.",
)
@click.option(
    "--worst", metavar="N", type=click.IntRange(min=1), help="Draw the N most confident mistakes; needs --output."
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The PNG that --worst is drawn to."
)
@data_root_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def evaluate_command(
    checkpoint: Path,
    weights: Weights,
    domain: str | None,
    split: str,
    side: Side | None,
    against: Path | None,
    predictions: Path | None,
    worst: int | None,
    output: Path | None,
    data_root: Path,
    as_json: bool,
) -> None:
    """Evaluate a checkpoint: accuracy with its 95 % interval, calibration, accuracy per class, confusion matrix.

    Without further options, on the target test split of its run: the run's own number.
    """
    _check_outputs(predictions, worst, output)
    choice = Choice(domain, split, side)
    classified = classify(checkpoint, weights, data_root, choice)
    evaluation = evaluate(classified)
    comparison = compare(classified, classify(against, weights, data_root, choice)) if against else None
    mistakes = find_worst(classified, worst) if worst else None
    written = _write(classified, predictions, mistakes, output)
    if as_json:
        values: dict[str, Any] = {
            **evaluation.to_dict(),
            "comparison": comparison.to_dict() if comparison else None,
            "worst": None if mistakes is None else [asdict(mistake) for mistake in mistakes],
            "written": [str(path) for path in written],
        }
        click.echo(json.dumps(values, indent=2))
        return
    click.echo(describe_evaluation(evaluation))
    if comparison:
        click.echo(f"\n{describe_comparison(comparison)}")
    if written or mistakes == ():
        click.echo()
    if mistakes == ():
        click.echo("no image is classified wrong: there is nothing to draw")
    for path in written:
        click.echo(f"wrote {path}")


def _check_outputs(predictions: Path | None, worst: int | None, output: Path | None) -> None:
    """Raise `UserError` for files that could not be written, before anything is computed."""
    if (worst is None) != (output is None):
        raise UserError("--worst and --output belong together: give both, for example --worst 20 -o worst.png")
    if output:
        check_name(output)
    if predictions:
        check_predictions_name(predictions)


def _write(
    classified: Classified, predictions: Path | None, mistakes: tuple[Mistake, ...] | None, output: Path | None
) -> list[Path]:
    """Write the files that were asked for; return which were written."""
    written = []
    if predictions:
        write_table(prediction_table(classified), predictions)
        written.append(predictions)
    if mistakes and output:
        save(draw_worst(classified, mistakes), output)
        written.append(output)
    return written


# The group looks for a command under the name that is typed.
eval = evaluate_command

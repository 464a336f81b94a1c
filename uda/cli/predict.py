"""``uda predict``: the classes of images without labels."""

from __future__ import annotations

from pathlib import Path

import click

from uda.cli.options import checkpoint_option, weights_option
from uda.errors import UserError
from uda.evaluation.classify import Weights
from uda.evaluation.images import Side
from uda.evaluation.own_images import find_images
from uda.evaluation.predict import Predicted, describe_predicted, predict_arrays, predict_files, predicted_table
from uda.evaluation.predictions import check_predictions_name, csv_bytes, write_table


@click.command("predict")
@click.argument("images", metavar="IMAGES...", nargs=-1, required=True, type=click.Path())
@checkpoint_option
@weights_option
@click.option(
    "--as",
    "side",
    type=click.Choice(["source", "target"]),
    default="target",
    show_default=True,
    help="Whose size, channels and networks the images go through.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A .csv or .parquet; CSV on the screen where it is not given.",
)
def predict(images: tuple[str, ...], checkpoint: Path, weights: Weights, side: Side, output: Path | None) -> None:
    """Classify IMAGES, and write one row per image: its class, and all probabilities.

    They are files or folders at any depth, read together as `folder:` reads those of a split; or npz:PATH, whose test
    images are then numbered from 0.

    No label is needed and no accuracy is told: how often such predictions are right, `uda eval` says of labelled
    images. Probabilities are the network's own, and tend to be too sure.
    """
    if output:
        check_predictions_name(output)
    predicted = classify_given(images, checkpoint, weights, side)
    if output:
        write_table(predicted_table(predicted), output)
        click.echo(f"wrote {click.format_filename(output)}")
    else:
        click.echo(csv_bytes(predicted_table(predicted)), nl=False)
    click.echo(describe_predicted(predicted), err=True)


def classify_given(images: tuple[str, ...], checkpoint: Path, weights: Weights, side: Side) -> Predicted:
    """Classify files and folders, or the arrays of one file; `UserError` where that stands beside others."""
    arrays = [each for each in images if each.startswith("npz:")]
    if not arrays:
        return predict_files(checkpoint, weights, find_images(map(Path, images)), side)
    if len(images) > 1:
        raise UserError(f"{arrays[0]} stands beside other images: give it alone")
    return predict_arrays(checkpoint, weights, arrays[0], side)

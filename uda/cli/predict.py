"""``uda predict``: the classes of image files without labels."""

from __future__ import annotations

from pathlib import Path

import click

from uda.cli.options import checkpoint_option, weights_option
from uda.evaluation.classify import Weights
from uda.evaluation.images import Side
from uda.evaluation.own_images import find_images
from uda.evaluation.predict import describe_predicted, file_table, predict_files
from uda.evaluation.predictions import check_predictions_name, write_table


@click.command("predict")
@click.argument("images", metavar="IMAGES...", nargs=-1, required=True, type=click.Path(path_type=Path))
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
def predict(images: tuple[Path, ...], checkpoint: Path, weights: Weights, side: Side, output: Path | None) -> None:
    """Classify IMAGES, files or folders at any depth, and write one row per image: its class, and all probabilities.

    No label is needed and no accuracy is told: how often such predictions are right, `uda eval` says of labelled
    images. Probabilities are the network's own, and tend to be too sure.
    """
    if output:
        check_predictions_name(output)
    predicted = predict_files(checkpoint, weights, find_images(images), side)
    if output:
        write_table(file_table(predicted), output)
        click.echo(f"wrote {output}")
    else:
        click.echo(file_table(predicted).to_csv(index=False, lineterminator="\n"), nl=False)
    click.echo(describe_predicted(predicted), err=True)

"""``uda translate``: a picture of images translated between the domains."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from uda.cli.options import data_root_option, weights_option
from uda.evaluation.picture import Arrangement, check_name, draw, save
from uda.evaluation.translate import Direction, translate_domains, translate_folder


@click.command("translate")
@click.option(
    "--checkpoint", type=click.Path(path_type=Path), required=True, help="checkpoint.pt of a run that can translate."
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The PNG to write."
)
@weights_option
@click.option(
    "--direction",
    type=click.Choice(["source-to-target", "target-to-source", "both"]),
    help="Where it is not given: both; with --images, source-to-target.",
)
@click.option(
    "--images", type=click.Path(path_type=Path), help="A folder of images to translate instead of test images."
)
@click.option(
    "--rows", type=click.IntRange(min=1), default=10, show_default=True, help="Number of images in each direction."
)
@click.option(
    "--layout",
    type=click.Choice(["tall", "wide", "compact"]),
    default="tall",
    show_default=True,
    help="Images downwards; images across; images across with input and translation only.",
)
@data_root_option
def translate(
    checkpoint: Path,
    output: Path,
    weights: Literal["last", "pick"],
    direction: Direction | None,
    images: Path | None,
    rows: int,
    layout: Arrangement,
    data_root: Path,
) -> None:
    """Write a grid of images: input, reconstruction, translation, and translation there and back (cycle).

    The images are test images of the run's two domains, one per class first, or those of a folder.
    """
    check_name(output)
    if images:
        panels = translate_folder(checkpoint, weights, direction or "source-to-target", rows, images)
    else:
        panels = translate_domains(checkpoint, weights, direction or "both", rows, data_root)
    save(draw(panels, layout), output)
    click.echo(f"wrote {output}")

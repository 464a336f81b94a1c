"""``uda translate``: a picture of images translated between the domains, or how many of them keep their class."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from uda.cli.options import data_root_option, weights_option, write_or_print
from uda.errors import UserError
from uda.evaluation.agreement import measure_agreement
from uda.evaluation.classify import Weights
from uda.evaluation.kept import ClassesKept, measure_classes_kept
from uda.evaluation.kept_report import Format, write_kept
from uda.evaluation.picture import Arrangement, check_name, draw, save
from uda.evaluation.translate import Direction, translate_domains, translate_folder


@click.command("translate")
@click.option(
    "--checkpoint",
    "checkpoints",
    type=click.Path(path_type=Path),
    required=True,
    multiple=True,
    help="checkpoint.pt of a run that translates; with a judge, several of one pair may be given.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The PNG to write; with a judge, a .md or .csv instead of text on the screen.",
)
@click.option(
    "--judge",
    metavar="TARGET_ONLY.pt",
    type=click.Path(path_type=Path),
    help="Draw nothing: let this classifier of real target images tell how many test images keep their class.",
)
@click.option(
    "--source-judge",
    metavar="SOURCE_ONLY.pt",
    type=click.Path(path_type=Path),
    help="Beside --judge: who reads what is drawn in the source; the run's own classifier where it is not given. "
    "Alone: who reads all images, so that no target label is needed.",
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
@click.pass_context
def translate(
    context: click.Context,
    checkpoints: tuple[Path, ...],
    output: Path | None,
    judge: Path | None,
    source_judge: Path | None,
    weights: Weights,
    direction: Direction | None,
    images: Path | None,
    rows: int,
    layout: Arrangement,
    data_root: Path,
) -> None:
    """Write a grid of images: input, reconstruction, translation, and translation there and back (cycle).

    A method that only translates, as CyCADA's, draws no reconstructions.

    The images are test images of the run's two domains, one per class first, or those of a folder.

    With --judge, a classifier that learnt the real images and labels of the target reads all test images instead, as
    they are and as they are translated, there and back: which share of them it takes for their class. With
    --source-judge alone no target label is read: a classifier of the source reads them, and a target image's class is
    what it takes the real image for.
    """
    if judge or source_judge:
        form = _check_table(context, output)
        write_or_print(write_kept(_measure(checkpoints, weights, judge, source_judge, data_root), form), output)
        return
    if output is None:
        raise UserError("a grid needs a file to be written to: give it by -o grid.png, or a classifier by --judge")
    if len(checkpoints) > 1:
        raise UserError(f"{len(checkpoints)} checkpoints, but a grid is of one: give one, or a classifier by --judge")
    check_name(output)
    if images:
        panels = translate_folder(checkpoints[0], weights, direction or "source-to-target", rows, images)
    else:
        panels = translate_domains(checkpoints[0], weights, direction or "both", rows, data_root)
    save(draw(panels, layout), output)
    click.echo(f"wrote {output}")


def _measure(
    checkpoints: tuple[Path, ...], weights: Weights, judge: Path | None, source_judge: Path | None, root: Path
) -> ClassesKept:
    """Let those judges read that were given: one of them at least."""
    if judge:
        return measure_classes_kept(checkpoints, weights, judge, source_judge, root)
    assert source_judge is not None
    return measure_agreement(checkpoints, weights, source_judge, root)


def _check_table(context: click.Context, output: Path | None) -> Format:
    """Return the format of a table; `UserError` for a name of anything else, or for options of a grid."""
    for name in ("direction", "images", "rows", "layout"):
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise UserError(
                f"--{name} is of the grid, and a judge reads all test images in both directions: leave it out"
            )
    if output is None:
        return "text"
    forms: dict[str, Format] = {".md": "md", ".csv": "csv"}
    if output.suffix.lower() not in forms:
        raise UserError(f"{output}: with a judge a table is written; give a name that ends in .md or .csv")
    return forms[output.suffix.lower()]

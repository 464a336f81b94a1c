"""``uda plot``: figures for a paper, one command per kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
from click.core import ParameterSource

from uda.cli.options import checkpoint_option, data_root_option, weights_option
from uda.cli.runs import DEFAULT_RUNS, find_scored, report_broken, report_left_out, runs_argument
from uda.errors import UserError
from uda.evaluation.classify import Weights
from uda.evaluation.differences import tell_settings
from uda.evaluation.embedding import embed_domains
from uda.evaluation.figures.bars import accuracy_bars, near_start
from uda.evaluation.figures.confusion import checkpoint_confusions, confusion_matrices, confusions
from uda.evaluation.figures.curves import learning_curves
from uda.evaluation.figures.images import interpolation_grid, translation_grid
from uda.evaluation.figures.ranking import validator_scatter
from uda.evaluation.figures.reliability import outcomes, reliability_diagram
from uda.evaluation.figures.style import Drawing, Mark, Width, check_name, looks_of, save
from uda.evaluation.figures.tsne import tsne_panels
from uda.evaluation.history import read_history
from uda.evaluation.interpolate import interpolate_domains
from uda.evaluation.layout import Headline
from uda.evaluation.runs import find_runs, readable
from uda.evaluation.series import Series, collect, read_moments, read_predictions
from uda.evaluation.translate import Direction, translate_domains


def _name_checked(context: click.Context, parameter: click.Parameter, path: Path) -> Path:
    """Refuse a name before anything is computed for it."""
    check_name(path)
    return path


output_option = click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    callback=_name_checked,
    help="Its ending chooses the format: .png, .pdf or .svg.",
)
width_option = click.option(
    "--width",
    type=click.Choice(["column", "page"]),
    help="3.4 or 7 inches; where it is not given, what the number of panels needs.",
)
headline_option = click.option(
    "--headline",
    type=click.Choice(["last", "validator"]),
    default="last",
    show_default=True,
    help="Accuracy at the last step, or at the validator's pick.",
)


@click.group("plot")
def plot() -> None:
    """Draw figures as PNG, PDF or SVG, in the sizes of a paper.

    RUNS are run folders, folders of them, or a runs.csv; $UDA_RUNS or runs where none is given. The same runs give the
    same file, byte for byte. What a figure shows is printed, to be the start of a caption.
    """


@plot.command()
@runs_argument
@click.option(
    "--quantity",
    "quantities",
    multiple=True,
    default=["accuracy"],
    show_default=True,
    help="accuracy, terms, validators, or the name of a term or validator; may be given more than once.",
)
@width_option
@output_option
def curves(paths: tuple[Path, ...], quantities: tuple[str, ...], width: Width | None, output: Path) -> None:
    """Learning curves: mean over seeds, with a band of one standard deviation."""
    series, looks = _series(paths, read_moments, scored="accuracy" in quantities)
    _write(learning_curves(series, quantities, looks, width), output)


@plot.command()
@runs_argument
@headline_option
@click.option(
    "--from",
    "start",
    default="0",
    show_default=True,
    metavar="PERCENT",
    help="Where the axis begins; auto is just below what is drawn. Above 0 there are points instead of bars.",
)
@width_option
@output_option
def bars(paths: tuple[Path, ...], headline: Headline, start: str, width: Width | None, output: Path) -> None:
    """Accuracy bars: deviation over seeds, and the interval that the size of the test set allows."""
    series, looks = _series(paths)
    begin = near_start(series, headline) if start == "auto" else _percent(start)
    _write(accuracy_bars(series, looks, headline, begin, width), output)


@plot.command()
@runs_argument
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Classify with a checkpoint instead of reading predictions; may be given more than once.",
)
@weights_option
@data_root_option
@width_option
@output_option
def confusion(
    paths: tuple[Path, ...],
    checkpoints: tuple[Path, ...],
    weights: Weights,
    data_root: Path,
    width: Width | None,
    output: Path,
) -> None:
    """Confusion matrices of the target test split, one per method and pair, over its seeds."""
    if checkpoints:
        if click.get_current_context().get_parameter_source("paths") is ParameterSource.COMMANDLINE:
            raise UserError("give either RUNS, whose predictions are read, or --checkpoint, which predicts anew")
        matrices, names = checkpoint_confusions(checkpoints, weights, data_root)
    else:
        matrices, names, unread = confusions(_series(paths, read_predictions)[0], weights)
        report_broken(unread)
    _write(confusion_matrices(matrices, names, width), output)


@plot.command()
@checkpoint_option
@weights_option
@click.option(
    "--images", type=click.IntRange(min=8), default=1000, show_default=True, help="Number of images, of both domains."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which images, and the start.")
@data_root_option
@click.option("--width", type=click.Choice(["column", "page"]), default="page", show_default=True)
@output_option
def tsne(
    checkpoint: Path, weights: Weights, images: int, seed: int, data_root: Path, width: Width, output: Path
) -> None:
    """t-SNE of both domains' features, by class and by domain."""
    _write(tsne_panels(embed_domains(checkpoint, weights, data_root, images, seed), width), output)


@plot.command()
@checkpoint_option
@weights_option
@click.option(
    "--direction",
    type=click.Choice(["source-to-target", "target-to-source", "both"]),
    default="both",
    show_default=True,
)
@click.option("--images", type=click.IntRange(min=1), default=10, show_default=True, help="Images of each domain.")
@click.option("--compact", is_flag=True, help="Input and translation only.")
@data_root_option
@click.option("--width", type=click.Choice(["column", "page"]), default="page", show_default=True)
@output_option
def translations(
    checkpoint: Path,
    weights: Weights,
    direction: Direction,
    images: int,
    compact: bool,
    data_root: Path,
    width: Width,
    output: Path,
) -> None:
    """Held-out images: input, reconstruction, translation and cycle."""
    panels = translate_domains(checkpoint, weights, direction, images, data_root)
    _write(translation_grid(panels, compact, width), output)


@plot.command()
@checkpoint_option
@weights_option
@click.option("--domain", type=click.Choice(["source", "target", "both"]), default="both", show_default=True)
@click.option("--ways", type=click.IntRange(min=1), default=3, show_default=True, help="Pairs of images of a domain.")
@click.option("--steps", type=click.IntRange(min=2), default=9, show_default=True, help="Codes on each way.")
@data_root_option
@click.option("--width", type=click.Choice(["column", "page"]), default="page", show_default=True)
@output_option
def interpolation(
    checkpoint: Path, weights: Weights, domain: str, ways: int, steps: int, data_root: Path, width: Width, output: Path
) -> None:
    """Latent interpolations: the way between two images, drawn in both domains."""
    found = [
        way
        for origin in ("source", "target")
        if domain in (origin, "both")
        for way in interpolate_domains(checkpoint, weights, origin, ways, steps, data_root)
    ]
    _write(interpolation_grid(found, width), output)


@plot.command()
@runs_argument
@click.option("--validator", "names", multiple=True, help="All where it is not given; may be given more than once.")
@width_option
@output_option
def validators(paths: tuple[Path, ...], names: tuple[str, ...], width: Width | None, output: Path) -> None:
    """Each validator's score against the true accuracy, at every evaluation of every run."""
    series, looks = _series(paths, read_history)
    _write(validator_scatter(series, looks, names, width), output)


@plot.command()
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="checkpoint.pt of a run; may be given more than once.",
)
@weights_option
@click.option("--bins", type=click.IntRange(min=1), default=15, show_default=True)
@data_root_option
@width_option
@output_option
def reliability(
    checkpoints: tuple[Path, ...], weights: Weights, bins: int, data_root: Path, width: Width | None, output: Path
) -> None:
    """Accuracy against confidence on the target test split."""
    _write(reliability_diagram(outcomes(checkpoints, weights, data_root), bins, width), output)


def _series(
    paths: tuple[Path, ...], read: Callable[[Path], object] | None = None, scored: bool = True
) -> tuple[tuple[Series, ...], dict[str, Mark]]:
    """Find the runs of which a figure can read what it needs, name others on stderr, and give each method its mark.

    Only those that have an accuracy, where it is ``scored`` by that.
    """
    found = find_scored(paths) if scored else find_runs(paths or DEFAULT_RUNS)
    if not scored:
        found = replace(found, results=(*found.results, *found.unscored), unscored=())
    if read:
        found, _ = readable(found, read)
    found = tell_settings(found)
    report_left_out(found)
    series = collect(found.results, found.folders)
    return series, looks_of(series)


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 100.0:
        raise UserError(f"--from {text}: give a percentage from 0 up to 100, or auto")
    return value


def _write(drawing: Drawing, output: Path) -> None:
    save(drawing.figure, output)
    click.echo(f"wrote {output}\n{drawing.caption}")

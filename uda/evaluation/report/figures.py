"""Which figures a report shows of some runs, and why others are left out."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from uda.errors import UserError
from uda.evaluation.classify import Weights
from uda.evaluation.embedding import embed_domains
from uda.evaluation.figures.bars import accuracy_bars, near_start
from uda.evaluation.figures.confusion import confusion_matrices, confusions
from uda.evaluation.figures.curves import learning_curves
from uda.evaluation.figures.images import interpolation_grid, translation_grid
from uda.evaluation.figures.ranking import validator_scatter
from uda.evaluation.figures.reliability import outcomes, reliability_diagram
from uda.evaluation.figures.style import Drawing, looks_of
from uda.evaluation.figures.tsne import tsne_panels
from uda.evaluation.history import read_history
from uda.evaluation.interpolate import interpolate_domains
from uda.evaluation.labels import adapts
from uda.evaluation.layout import ORDERS, Headline
from uda.evaluation.ranking import estimate
from uda.evaluation.report.markup import Html
from uda.evaluation.report.svg import inline_svg
from uda.evaluation.scores import SHOWN
from uda.evaluation.series import Series, panel_titles
from uda.evaluation.translate import translate_domains
from uda.evaluation.translators import find_core
from uda.methods import Method
from uda.training.checkpoint import load_model

#: At most so many methods of a pair that adapt have their learning curves drawn, and their predictions and checkpoints.
SHOWN_CURVES = 8
SHOWN_METHODS = 3
#: Of these, at most so many have their features drawn.
SHOWN_FEATURES = 2

_NO_CHECKPOINT = "no run that would be shown here kept its checkpoint.pt"
_ORIGINS: tuple[Literal["source", "target"], ...] = ("source", "target")


@dataclass(frozen=True)
class Shown:
    """A figure of the report.

    Attributes
    ----------
    heading
        What it is, in a few words.
    svg
        The figure itself.
    caption
        What it shows.
    wide
        Whether it takes the width of a page and not of a column.
    on_paper
        Whether it is read on white alone, because its colours begin there.
    """

    heading: str
    svg: Html
    caption: str
    wide: bool
    on_paper: bool = False


@dataclass(frozen=True)
class LeftOut:
    """A figure that is not there, and the reason in a sentence."""

    heading: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """A figure to be drawn."""

    heading: str
    draw: Callable[[], Drawing]
    remark: str = ""
    on_paper: bool = False


def draw_figures(
    series: Sequence[Series],
    headline: Headline,
    root: Path,
    checkpoints: bool = True,
    progress: Callable[[list[Plan]], Iterable[Plan]] = iter,
) -> tuple[list[Shown], list[LeftOut]]:
    """Draw all that the runs allow.

    Parameters
    ----------
    series
        All runs, from `uda.evaluation.series.collect`.
    headline
        Whether the accuracy, the predictions and the weights at the last step or at the validator's pick are shown.
    root
        The data root, for what is drawn from checkpoints.
    checkpoints
        Whether to draw from checkpoints at all.
    progress
        Wraps the list of plans while they are drawn, as tqdm does.
    """
    shown: list[Shown] = []
    left_out: list[LeftOut] = []
    for plan in progress(list(_plans(series, headline, root, checkpoints))):
        try:
            drawing = plan.draw()
        except UserError as error:
            left_out.append(LeftOut(plan.heading, str(error)))
            continue
        caption = f"{drawing.caption} {plan.remark}".strip()
        picture = inline_svg(drawing, f"figure-{len(shown) + 1}", plan.heading)
        wide = drawing.figure.get_figwidth() > 5.0
        shown.append(Shown(plan.heading, picture, caption, wide, plan.on_paper))
    if not checkpoints:
        reason = "what is drawn from checkpoints was not asked for"
        left_out.append(LeftOut("Reliability, t-SNE, translations and interpolations", reason))
    return shown, left_out


def _plans(series: Sequence[Series], headline: Headline, root: Path, checkpoints: bool) -> Iterator[Plan]:
    """List the figures in the order of the report."""
    looks = looks_of(series)
    if scored := [each for each in series if each.scored]:
        yield Plan("Accuracy", lambda: accuracy_bars(scored, looks, headline, near_start(scored, headline)))
        logged, remark = having(scored, "metrics.jsonl")
        curves, choice = _best(logged, headline)
        said = f"{choice} {remark}".strip()
        yield Plan("Learning curves", lambda: learning_curves(curves, ["accuracy"], looks), said)
        yield Plan("Validators against accuracy", lambda: validator_scatter(logged, looks), remark)
    if unscored := [each for each in series if not each.scored]:
        best, said = _best(unscored, headline)
        yield Plan("Label-free scores", lambda: learning_curves(best, SHOWN, looks), said)
    for key, title in panel_titles(series).items():
        here = [each for each in series if (each.protocol, each.pair) == key]
        yield from _plans_of_pair(here, title, headline, root, checkpoints)


def _best(series: Sequence[Series], headline: Headline) -> tuple[list[Series], str]:
    """Return what has its curves drawn of some series, and which of them that are."""
    pairs = {key: [each for each in series if (each.protocol, each.pair) == key] for key in panel_titles(series)}
    best = [each for here in pairs.values() for each in chosen(here, headline, SHOWN_CURVES)]
    told = f"Of each pair the {SHOWN_CURVES} best that adapt, and the bounds." if len(best) < len(series) else ""
    return best, told


def _plans_of_pair(
    series: Sequence[Series], title: str, headline: Headline, root: Path, checkpoints: bool
) -> Iterator[Plan]:
    """List the figures that look into predictions and checkpoints."""
    weights: Weights = "last" if headline == "last" else "pick"
    best = [each for each in chosen(series, headline, SHOWN_METHODS) if each.kind != "target-only"]
    shown = f"Shown: {len(best)} of {len(series)} methods: source only, and the best that adapt."
    choice = shown if len(best) < len(series) else ""
    where = "At the last step." if headline == "last" else "At the validator's pick."
    scored = all(each.scored for each in best)
    if scored:
        predicted, remark = having(best, "predictions.npz")
        said = " ".join(filter(None, [where, choice, remark]))
        yield Plan(f"Confusion, {title}", partial(_confusion, predicted, weights), said, on_paper=True)
    if not checkpoints:
        return
    kept = [each for each in having(best, "checkpoint.pt")[0] if each.known_folders]
    paths = {each.label: each.known_folders[0] / "checkpoint.pt" for each in kept}
    said = f"{where} {_seeds(kept)}"
    if scored:
        yield Plan(f"Reliability, {title}", partial(_reliability, paths, weights, root), f"{said} {choice}".strip())
    for label in list(paths)[:SHOWN_FEATURES] or [""]:
        heading = f"Features, {title}" + (f", {label}" if label else "")
        yield Plan(heading, partial(_features, paths.get(label), weights, root), said)
    yield Plan(f"Translations, {title}", partial(_translations, paths, weights, root), said)
    yield Plan(f"Interpolations, {title}", partial(_interpolations, paths, weights, root), said)


def _seeds(series: Sequence[Series]) -> str:
    """Say which seed each series' first folder is of."""
    seeds = {
        each.label: next(run.seed for run, folder in zip(each.runs, each.folders, strict=True) if folder)
        for each in series
    }
    if len(set(seeds.values())) > 1:
        return f"Seeds: {', '.join(f'{label} {seed}' for label, seed in seeds.items())}."
    return "".join(f"Seed {seed}." for seed in set(seeds.values()))


def _confusion(series: Sequence[Series], weights: Weights) -> Drawing:
    matrices, names, unread = confusions(series, weights)
    drawing = confusion_matrices(matrices, names)
    return replace(drawing, caption=" ".join([drawing.caption, *(f"Left out: {sentence}." for sentence in unread)]))


def _reliability(paths: Mapping[str, Path], weights: Weights, root: Path) -> Drawing:
    _need(paths)
    found = outcomes(list(paths.values()), weights, root)
    return reliability_diagram([replace(one, title=label) for one, label in zip(found, paths, strict=True)])


def _features(path: Path | None, weights: Weights, root: Path) -> Drawing:
    if path is None:
        raise UserError(_NO_CHECKPOINT)
    return tsne_panels(embed_domains(path, weights, root))


def _translations(paths: Mapping[str, Path], weights: Weights, root: Path) -> Drawing:
    label, path = _first(paths, lambda method: method.translates(method.config), "translates images")
    drawing = translation_grid(translate_domains(path, weights, "both", 10, root))
    return replace(drawing, caption=f"{label}. {drawing.caption}")


def _interpolations(paths: Mapping[str, Path], weights: Weights, root: Path) -> Drawing:
    label, path = _first(paths, find_core, "has codes of images to interpolate between")
    ways = [way for origin in _ORIGINS for way in interpolate_domains(path, weights, origin, 2, 9, root)]
    drawing = interpolation_grid(ways)
    return replace(drawing, caption=f"{label}. {drawing.caption}")


def _first(paths: Mapping[str, Path], find: Callable[[Method], object], what: str) -> tuple[str, Path]:
    """Return the first method that has what is looked for, with its checkpoint."""
    _need(paths)
    for label, path in paths.items():
        if find(load_model(path)[0]):
            return label, path
    raise UserError(f"no method that is shown here {what}")


def _need(paths: Mapping[str, Path]) -> None:
    if not paths:
        raise UserError(_NO_CHECKPOINT)


def having(series: Sequence[Series], file: str) -> tuple[list[Series], str]:
    """Return series with the folders that hold a file, and a sentence about the runs that do not."""
    kept, missing = [], 0
    for each in series:
        folders = tuple(folder if folder and (folder / file).is_file() else None for folder in each.folders)
        missing += folders.count(None)
        kept.append(replace(each, folders=folders))
    return kept, f"{missing} of the runs {'has' if missing == 1 else 'have'} no {file}." if missing else ""


def chosen(series: Sequence[Series], headline: Headline, count: int) -> list[Series]:
    """Return so many methods of a pair that adapt, the best first, between the bounds.

    Where there is no accuracy, the best are those of the highest label-free score, of the first that tables show.
    """
    adapting = [each for each in series if adapts(each.kind)]
    adapting.sort(key=lambda each: -_merit(each, headline))
    bounds = {kind: [each for each in series if each.kind == kind] for kind in ("source-only", "target-only")}
    return [*bounds["source-only"], *adapting[:count], *bounds["target-only"]]


def _merit(series: Series, headline: Headline) -> float:
    if series.scored:
        return estimate(series.cell, ORDERS[headline][0]).mean
    try:
        scores = [read_history(folder)[-1].scores for folder in series.known_folders]
    except UserError:  # the figure that reads it says so
        return -math.inf
    return statistics.fmean(each.get(SHOWN[0], -math.inf) for each in scores)

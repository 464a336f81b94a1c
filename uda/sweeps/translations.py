"""What translations keep of the classes, recorded run by run: classifiers of real images of a recipe read them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from uda.atomic import write_text
from uda.errors import UserError
from uda.evaluation.kept import measure_classes_kept
from uda.evaluation.labels import pair_label, preset_label
from uda.evaluation.parts import DASH, Column, Entry, Layout, Section
from uda.evaluation.table import Estimate
from uda.methods import METHODS
from uda.sweeps.recipe import Recipe
from uda.training.claim import claim
from uda.training.config import RunConfig, settings_of
from uda.training.record import is_finished

_COLUMNS = ("config_hash", "images", "n", "kept", "reader")
_WAYS = ("source-target", "source-target-source", "target-source", "target-source-target")
#: Source images that are translated, and those that are translated there and back.
TRANSLATED, CYCLED = _WAYS[:2]
#: Percent of test images that keep their class, by run (hash) and what was done to them.
Kept = Mapping[tuple[str, str], float]


def judges(recipe: Recipe) -> tuple[RunConfig, RunConfig | None]:
    """Return the recipe's runs that judge translated images: target-only, and source-only where it is there.

    Raises
    ------
    UserError
        Where it has no target-only entry.
    """
    found = {config.method: config for config in reversed(recipe.configs)}
    if "target-only" not in found:
        raise UserError(
            f"{recipe.path}: has no target-only entry, which judges translated images; add one, or give --no-judge"
        )
    return found["target-only"], found.get("source-only")


def can_translate(config: RunConfig) -> bool:
    """Whether a run of this config translates images."""
    return METHODS[config.method].translates(settings_of(config))


def measure_kept(
    recipe: Recipe, finished: Sequence[RunConfig], runs: Path, root: Path, path: Path
) -> list[tuple[RunConfig, str]]:
    """Let the judges read what finished runs translate, and add it to a CSV; runs in it are left alone.

    Nothing is read before all judges are finished: what is recorded stays.

    Parameters
    ----------
    recipe
        Whose judges read.
    finished
        Those of them that cannot translate are left out.
    runs, root
        The folder of run folders, and the data root.
    path
        The CSV.

    Returns
    -------
    list
        Runs that could not be read, for example because an older version made them, and why.

    Raises
    ------
    UserError
        Where the recipe has no judge, or the CSV is damaged.
    """
    if not all(is_finished(runs, judge) for judge in judges(recipe) if judge):
        return []
    known = {run for run, _ in read_kept(path)}
    new = [config for config in finished if can_translate(config) and config.hash not in known]
    if not new:
        return []
    target, source = (runs / judge.name / "checkpoint.pt" if judge else None for judge in judges(recipe))
    assert target is not None
    failures = []
    for config in new:
        try:
            kept = measure_classes_kept([runs / config.name / "checkpoint.pt"], "last", target, source, root)
        except UserError as error:
            failures.append((config, str(error)))
            continue
        said = {"judge": kept.judge, "source judge": kept.source_judge}
        lines = [
            (config.hash, _way(reading.way), reading.n, reading.kept, said.get(reading.reader) or reading.reader)
            for reading in kept.runs[0].readings
        ]
        _add(path, config.hash, lines)
    return failures


def _way(way: Sequence[int]) -> str:
    return "-".join(("source", "target")[side] for side in way)


def _add(path: Path, run: str, lines: Sequence[Sequence[object]]) -> None:
    """Add the lines of a run, unless another process has; the file is replaced in one step."""
    with claim(path.parent, wait=True):
        if any(known == run for known, _ in read_kept(path)):
            return
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(lines if path.exists() else [_COLUMNS, *lines])
        before = path.read_bytes().decode("utf-8") if path.exists() else ""
        end = "" if before.endswith("\n") or not before else "\n"
        write_text(path, before + end + text.getvalue())


def read_kept(path: Path) -> Kept:
    """Read what `measure_kept` wrote; nothing where there is no such file.

    Raises
    ------
    UserError
        Naming the line that is broken, for example cut off.
    """
    if not path.exists():
        return {}
    kept = {}
    with path.open(encoding="utf-8-sig", newline="") as file:  # as runs.csv is read
        reader = csv.reader(file)
        try:
            if tuple(next(reader, ())) != _COLUMNS:
                raise ValueError(f"must be {','.join(_COLUMNS)}")
            for run, images, _, share, _ in reader:
                kept[run, images] = float(share)
        except (ValueError, csv.Error) as error:
            raise UserError(
                f"{path}, line {reader.line_num or 1}: {error}; remove the lines of that run, and it is measured again"
            ) from error
    return kept


def lay_out_kept(recipes: Sequence[Recipe], kept: Kept) -> Layout | None:
    """Arrange what is known of the runs of recipes, pair by pair; None where nothing is."""
    sections = []
    for recipe in recipes:
        alike = groupby(
            sorted(filter(can_translate, recipe.configs), key=lambda c: (c.method, c.preset)),
            key=lambda c: (c.method, c.preset),
        )
        rows = [row for (method, preset), configs in alike if (row := _row(method, preset, list(configs), kept))]
        if rows:
            sections.append(Section(f"{pair_label((recipe.source, recipe.target))}", tuple(rows)))
    if not sections:
        return None
    ways = ("source → target", "and back", "target → source", "and back again")
    return Layout(
        title="Translations that keep their class, percent of the test images",
        explanation=(
            "A classifier that learnt real images and labels of the domain that an image is drawn in (target-only, "
            "source-only) reads it; it counts if it is taken for the class of the real image it came from. Mean ± "
            "sample standard deviation over n seeds.",
        ),
        columns=(Column(Entry("Method"), wordy=True), Column(Entry("n")), *(Column(Entry(way)) for way in ways)),
        sections=tuple(sections),
        footnotes=(),
        remarks=("Of one checkpoint, uda translate --judge says more: intervals, classes, the commonest flips.",),
    )


def _row(method: str, preset: str, configs: Sequence[RunConfig], kept: Kept) -> tuple[Entry, ...] | None:
    known = [config.hash for config in configs if (config.hash, TRANSLATED) in kept]
    if not known:
        return None
    found = [[kept[run, way] for run in known if (run, way) in kept] for way in _WAYS]
    numbers = [Entry(Estimate(tuple(values)).text if values else DASH) for values in found]
    return Entry(preset_label(method, preset)), Entry(str(len(known))), *numbers

"""What a recipe leaves in the results folder: its tables, and a picture of its translations."""

from __future__ import annotations

from collections.abc import Sequence, Set
from contextlib import suppress
from pathlib import Path

from uda.atomic import write_text
from uda.errors import UserError
from uda.evaluation.formats import markdown
from uda.evaluation.labels import pair_label
from uda.evaluation.picture import draw, save
from uda.evaluation.runs import RunResult, read_csv
from uda.evaluation.translate import translate_domains
from uda.evaluation.translators import open_translator
from uda.evaluation.write import Format, write_tables
from uda.sweeps.recipe import Recipe
from uda.sweeps.translations import can_translate, lay_out_kept, read_kept
from uda.training.record import is_finished

_SUFFIXES: dict[str, Format] = {".md": "md", ".tex": "latex", ".csv": "csv"}


#: Beside runs.csv: which share of translated test images keeps its class, run by run.
KEPT = "classes-kept.csv"


def recorded(recipe: Recipe, table: Path) -> list[RunResult]:
    """Return the rows of a ``runs.csv`` that are the recipe's runs, as the recipe is now: the first of each run."""
    hashes = {config.hash for config in recipe.configs}
    rows: dict[str, RunResult] = {}
    for row in read_csv(table) if table.exists() else []:
        if row.config_hash in hashes:
            rows.setdefault(row.config_hash, row)
    return list(rows.values())


def write_report(recipe: Recipe, folder: Path) -> list[Path]:
    """Write a recipe's tables from its rows in the folder's ``runs.csv``.

    NAME.md, NAME.tex and NAME.csv are its results, NAME-cost.md is what they cost, NAME-counterparts.md, where a
    method of it has a published number, stands each beside that, and NAME-kept.md says how many translations keep their
    class, by the folder's classes-kept.csv.

    Returns
    -------
    list of Path
        What was written; nothing where no run of the recipe is in it.
    """
    return _write(recipe.name, (recipe,), folder)


def write_together(name: str, recipes: Sequence[Recipe], folder: Path) -> list[Path]:
    """Write one set of tables, as `write_report` does, of all the pairs of several recipes; NAME-brief.md beside it.

    Raises
    ------
    UserError
        Where two of them have different runs of one method on one pair, so that no table could hold both.
    """
    return _write(name, recipes, folder)


def _write(name: str, recipes: Sequence[Recipe], folder: Path) -> list[Path]:
    found = [recorded(recipe, folder / "runs.csv") for recipe in recipes]
    rows = [row for some in found for row in some]
    if not rows:
        return []
    texts = {suffix: write_tables(rows, form) for suffix, form in _SUFFIXES.items()}
    if len(recipes) > 1:
        texts["-brief.md"] = write_tables(rows, "md", arrangement="brief")
    texts["-cost.md"] = write_tables(rows, "md", arrangement="cost")
    kept = lay_out_kept(recipes, read_kept(folder / KEPT))
    if kept:
        texts["-kept.md"] = markdown(kept)
    with suppress(UserError):  # nothing is published of this pair
        texts["-counterparts.md"] = write_tables(rows, "md", arrangement="counterparts")
    for ending, text in texts.items():
        made = _commands(recipes, found) if ending.endswith(".md") else ""
        write_text(folder / f"{name}{ending}", text + made)
    return [folder / f"{name}{ending}" for ending in texts]


def _commands(recipes: Sequence[Recipe], found: Sequence[list[RunResult]]) -> str:
    """Say by which command each pair's numbers are made, and which pairs have none yet."""
    lines = []
    for recipe, rows in zip(recipes, found, strict=True):
        pair = pair_label((recipe.source, recipe.target))
        protocol = f", protocol {recipe.protocol}" if recipe.protocol != recipes[0].protocol else ""
        state = "" if rows else ", not run"
        lines.append(f"- {pair}{protocol}{state}: `uda benchmark {recipe.path} --methods NAME`")
    return "\nThe command that makes the runs of a method, again or for the first time:\n\n" + "\n".join(lines) + "\n"


def write_translations(recipe: Recipe, runs: Path, root: Path, path: Path, new: Set[str]) -> bool:
    """Draw test images translated by the recipe's first run that translates.

    Parameters
    ----------
    recipe
        Its runs are looked for in ``runs``.
    runs, root
        The folder of run folders, and the data root.
    path
        The PNG; one that exists is kept unless that run is new.
    new
        Hashes of the runs that were just made.

    Returns
    -------
    bool
        Whether it was drawn.
    """
    able = [config for config in recipe.configs if can_translate(config) and is_finished(runs, config)]
    if not able or (path.exists() and able[0].hash not in new):
        return False
    checkpoint = _first_that_opens([runs / config.name / "checkpoint.pt" for config in able])
    if checkpoint is None:
        return False
    save(draw(translate_domains(checkpoint, "last", "both", 10, root), "compact"), path)
    return True


def _first_that_opens(checkpoints: Sequence[Path]) -> Path | None:
    """Return the first that there is, and that no other version of the package made: its numbers stand, undrawn."""
    for checkpoint in checkpoints:
        with suppress(UserError):
            open_translator(checkpoint, "last")
            return checkpoint
    return None

"""A warning, by the source's labels alone, that a run's translations change their class."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from uda.errors import UserError
from uda.evaluation.agreement import shares_kept
from uda.sweeps.recipe import Recipe
from uda.sweeps.runner import title
from uda.sweeps.translations import can_translate
from uda.training.record import is_finished

#: Of the source images that are taken for their class, how many must be when they are translated, or it is said.
ENOUGH = 0.5


def swap_warnings(recipe: Recipe, trained: Collection[str], runs: Path, root: Path) -> Iterator[str]:
    """Yield a sentence for each run that was finished now and translates most source images into other classes.

    A finished source-only run of the recipe reads them, as its classifier knows no target label; where there is none,
    nothing is said.

    Parameters
    ----------
    recipe
        Whose runs they are.
    trained
        Hashes of those that were finished now.
    runs, root
        The folder of run folders, and the data root.
    """
    readers = [config for config in recipe.configs if config.method == "source-only" and is_finished(runs, config)]
    for config in recipe.configs if readers else ():
        if config.hash not in trained or not can_translate(config):
            continue
        run, reader = (runs / each.name / "checkpoint.pt" for each in (config, readers[0]))
        try:
            kept, real = shares_kept(run, reader, root)
        except UserError as error:
            yield f"{title(config)}: source-only does not read its translations: {error}"
            continue
        if kept < ENOUGH * real:
            yield (
                f"{title(config)}: source-only takes {kept:.0f} % of its translated source images for their class, "
                f"and {real:.0f} % of the images themselves: it swaps classes, or draws what source-only cannot read; "
                "`uda translate --source-judge` says more"
            )

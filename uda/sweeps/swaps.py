"""A warning, by the source's labels alone, that a run's translations change their class."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from uda.errors import UserError
from uda.evaluation.agreement import share_kept
from uda.sweeps.recipe import Recipe
from uda.sweeps.runner import title
from uda.sweeps.translations import can_translate
from uda.training.record import is_finished

#: Percent of translated source images that must be taken for their class for nothing to be said.
ENOUGH = 50.0


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
            kept = share_kept(run, reader, root)
        except UserError as error:
            yield f"{title(config)}: source-only does not read its translations: {error}"
            continue
        if kept < ENOUGH:
            yield (
                f"{title(config)}: source-only takes {kept:.0f} % of its translated source images for their class: it "
                "swaps classes, or draws what source-only cannot read; `uda translate --source-judge` says more"
            )

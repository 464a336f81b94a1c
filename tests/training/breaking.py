"""Updates that give numbers which are not finite."""

from collections.abc import Callable

from uda.errors import NotFiniteError
from uda.training.updates import Updates

MEANS = Updates.means


def breaking(seeds: set[int], after: int = 0) -> Callable[[Updates, int], dict[str, float]]:
    """Return means of terms that are not finite from some step on, for the updates of these seeds alone."""

    def means(updates: Updates, count: int) -> dict[str, float]:
        if updates.seed in seeds and updates._step >= after:
            raise NotFiniteError(f"broken by {updates.seed}")
        return MEANS(updates, count)

    return means

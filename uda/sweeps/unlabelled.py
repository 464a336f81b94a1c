"""Targets without labels: which runs cannot be made there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from uda.data.domains import find_domain, is_own, load_split
from uda.errors import UserError
from uda.methods import METHODS
from uda.sweeps.runner import Workplace
from uda.training.config import RunConfig
from uda.training.record import is_finished


def without_target_labels(configs: Sequence[RunConfig], place: Workplace) -> tuple[list[RunConfig], str]:
    """Leave out runs that learn from target labels where no training image of the target has one.

    Parameters
    ----------
    configs
        Of one pair. Those that are finished stay.
    place
        Where they are made.

    Returns
    -------
    tuple
        What is left, and what is left out and why, in words: empty where nothing is.
    """
    learning = [c for c in configs if METHODS[c.method].sees_target_labels and not is_finished(place.runs, c)]
    if not learning or not lacks_labels(learning[0].target, "train", place.root):
        return list(configs), ""
    methods = list(dict.fromkeys(config.method for config in learning))
    learns = "learns" if len(methods) == 1 else "learn"
    reason = f"which {learns} from labels, and no training image of {learning[0].target} has one"
    hashes = {config.hash for config in learning}
    return [config for config in configs if config.hash not in hashes], f"{' and '.join(methods)}, {reason}"


def lacks_labels(domain: str, split: str, root: Path) -> bool:
    """Whether no image of a split has a label; only a user's own domains are read, as all others have labels.

    One that cannot be read is not said to lack any: whatever is made of it says what is wrong.
    """
    if not is_own(domain):
        return False
    with suppress(UserError, OSError):
        return not load_split(find_domain(domain), split, root).labelled
    return False

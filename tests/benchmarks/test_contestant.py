"""A contestant's process may have processes of its own, as a loader's workers are, and leaves none behind."""

import multiprocessing
from collections.abc import Callable

import pytest
import torch
from contestant import entered
from torch.utils.data import DataLoader


def loading() -> Callable[[], object]:
    """Build a step that takes a batch from a loader with a worker."""
    batches = iter(DataLoader(range(100), batch_size=2, num_workers=1))  # type: ignore[arg-type]
    return lambda: next(batches)


def broken() -> Callable[[], object]:
    raise ValueError("cannot be built")


def test_a_contestant_may_load_by_workers_and_ends_with_them() -> None:
    with entered({"loading": loading}, torch.device("cpu"), 1) as contestants:
        wall, _ = contestants["loading"].turn(2)
        assert wall > 0
    assert multiprocessing.active_children() == []


def test_one_that_fails_says_why_and_all_are_ended() -> None:
    builds = {"loading": loading, "broken": broken}
    with (
        pytest.raises(RuntimeError, match="cannot be built"),
        entered(builds, torch.device("cpu"), 1) as contestants,
    ):
        contestants["broken"].turn(1)
    assert multiprocessing.active_children() == []

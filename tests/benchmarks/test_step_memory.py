"""What a step needs at the most, beside what is held before it."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest
import torch
from step_memory import REFERENCES, step_memory


def needed() -> int:
    held = torch.ones(2**23)
    return step_memory(lambda: (held + 1).sum(), torch.device("cpu"))


@pytest.mark.skipif(not REFERENCES.exists(), reason="only Linux tells the largest resident size since a moment")
def test_what_a_step_frees_again_counts_too() -> None:
    # in a process that is new: one that has trained keeps what it frees
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(needed).result() == pytest.approx(4 * 2**23, rel=0.1)  # the system counts in lots of pages

"""What a step needs at the most, beside what is held before it."""

import pytest
import torch
from step_memory import REFERENCES, step_memory


@pytest.mark.skipif(not REFERENCES.exists(), reason="only Linux tells the largest resident size since a moment")
def test_what_a_step_frees_again_counts_too() -> None:
    held = torch.ones(2**23)
    needed = step_memory(lambda: (held + 1).sum(), torch.device("cpu"))
    assert needed == pytest.approx(4 * 2**23, rel=0.1)  # the system counts in lots of pages

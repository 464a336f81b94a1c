"""Labels that a method gave target training images, kept by their place in the training set."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class PseudoLabels(nn.Module):
    """One int64 label for each target training image, in a buffer, so that a resumed run has them; none at first.

    How many there are is known when they are first given: the buffer grows then, and where a checkpoint is loaded.
    """

    labels: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("labels", torch.empty(0, dtype=torch.int64))

    def keep(self, labels: Tensor) -> None:
        """Keep (M,) labels in place of those before; in their memory, which a captured update reads."""
        self._resize(len(labels))
        self.labels.copy_(labels)

    def of(self, index: Tensor) -> Tensor:
        """Return the (N,) labels of the images at (N,) places."""
        return self.labels[index]

    def _resize(self, count: int) -> None:
        if len(self.labels) != count:
            self.labels = self.labels.new_empty(count)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        if f"{prefix}labels" in state_dict:
            self._resize(len(state_dict[f"{prefix}labels"]))
        super()._load_from_state_dict(state_dict, prefix, *rest)

"""What a layer gives and its gradients, to be compared with another layer's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FORMATS = [torch.contiguous_format, torch.channels_last]


def outcome(drawn: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    """Return what was drawn, and the gradients of the sum of its squares in what it was drawn from."""
    return drawn.detach(), *torch.autograd.grad(drawn.square().sum(), inputs)


def layer_outcome(layer: nn.Module, images: Tensor, memory_format: torch.memory_format) -> tuple[Tensor, ...]:
    """Return what a layer gives in a memory format, and the gradients in its input and parameters."""
    nn.Module.to(layer, memory_format=memory_format)
    seen = images.to(memory_format=memory_format).detach().requires_grad_()
    return outcome(layer(seen), seen, *layer.parameters())

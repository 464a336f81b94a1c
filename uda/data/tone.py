"""Tone curves: how intensities are spread between black and white, which for a digit is the width of its strokes."""

from __future__ import annotations

import torch
from torch import Tensor

#: Below it a curve is straight to single precision's last digits, and above 0, where it is not defined.
_LEAST = 1e-2


def bend(images: Tensor, steepness: Tensor, threshold: Tensor) -> Tensor:
    """Put intensities through a curve of the hyperbolic tangent that leaves black black and white white.

    Parameters
    ----------
    images
        (N, C, H, W) in [-1, 1].
    steepness
        (N, 1, 1, 1), 0 or more: at 0 nothing changes, at 5 what is 0.4 apart around the threshold comes to lie 1.5
        apart.
    threshold
        (N, 1, 1, 1) in [-1, 1]: where the curve is steepest. What is above it is made lighter, which widens the strokes
        of a light digit with soft edges where the threshold is low and thins them where it is high.

    Returns
    -------
    Tensor
        (N, C, H, W) in [-1, 1], rising with the images' intensities.
    """
    steep = torch.maximum(steepness, torch.full_like(steepness, _LEAST))
    black, white = torch.tanh(-steep * (1.0 + threshold)), torch.tanh(steep * (1.0 - threshold))
    return 2.0 * (torch.tanh(steep * (images - threshold)) - black) / (white - black) - 1.0

"""Random textures: fields whose amplitude falls with spatial frequency as that of photographs does."""

from __future__ import annotations

import torch
from torch import Tensor


def draw_textures(shape: tuple[int, int, int, int], generator: torch.Generator) -> Tensor:
    """Draw Gaussian fields with a 1/f amplitude spectrum (Field, JOSA A 1987: that of natural images).

    Parameters
    ----------
    shape
        (N, C, H, W). Each image has a field of its own; half of a channel's variance is common to all its channels.
    generator
        On the device of the result, which depends on nothing else.

    Returns
    -------
    Tensor
        (N, C, H, W) float32, each value of zero mean and unit variance over draws; a field's own mean is 0, and it goes
        on over the borders on the opposite side.
    """
    n, channels, height, width = shape
    white = torch.randn(n, channels + 1, height, width, device=generator.device, generator=generator)
    spectrum = torch.fft.rfft2(white) * _amplitude(height, width, generator.device)
    fields: Tensor = torch.fft.irfft2(spectrum, s=(height, width)) * 0.5**0.5
    return fields[:, :channels] + fields[:, channels:]


def _amplitude(height: int, width: int, device: torch.device) -> Tensor:
    """Return 1/f on the frequencies of `torch.fft.rfft2`, 0 for the mean, for unit variance of what is filtered."""
    rows, columns = torch.fft.fftfreq(height, device=device), torch.fft.fftfreq(width, device=device)
    amplitude = 1.0 / torch.hypot(rows[:, None], columns[None, :])
    amplitude[0, 0].zero_()  # an assigned number would come from the host
    return (amplitude / amplitude.square().mean().sqrt())[:, : width // 2 + 1]

"""How far an accuracy may be off because the test set is finite."""

from __future__ import annotations

import math
from statistics import NormalDist


def wilson_interval(accuracy: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the score interval of a proportion (Wilson 1927), which stays inside 0..100 and needs no large counts.

    With p the accuracy as a proportion and z the normal quantile: the centre is (p + z²/2n) / (1 + z²/n), and half the
    width is z / (1 + z²/n) · √(p (1 - p) / n + z²/4n²).

    Parameters
    ----------
    accuracy
        Percent of the images that were classified right; may be a mean over seeds.
    n
        Number of images, at least 1.
    confidence
        How often such an interval holds the accuracy on infinitely many images.

    Returns
    -------
    tuple of float
        Its two ends in percent.
    """
    if n < 1 or not 0.0 <= accuracy <= 100.0 or not 0.0 < confidence < 1.0:
        raise ValueError(
            f"accuracy must be in 0..100, n at least 1, confidence in (0, 1): {accuracy}, {n}, {confidence}"
        )
    p = accuracy / 100.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2.0)
    scale = 1.0 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(p * (1.0 - p) / n + z * z / (4 * n * n))
    return 100.0 * max(0.0, centre - half), 100.0 * min(1.0, centre + half)

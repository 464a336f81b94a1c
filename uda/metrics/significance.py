"""Whether two classifiers, or two methods over several seeds, differ on the same test images by more than chance.

`mcnemar` compares two checkpoints. `paired_difference` and `paired_bootstrap` compare two methods: they allow for other
test images and for other seeds. `against_chosen_best` allows for a best that was chosen by the same data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import special
from torch import Tensor


@dataclass(frozen=True)
class PairedDifference:
    """Mean difference in accuracy between two methods.

    Attributes
    ----------
    mean
        The first's accuracy minus the second's, in percentage points.
    error
        Its standard error, in percentage points.
    p
        Two-sided, of the hypothesis that there is none.
    freedom
        Degrees of freedom of Student's t that p is from.
    """

    mean: float
    error: float
    p: float
    freedom: int


def mcnemar(first: Tensor, second: Tensor) -> float:
    """Return the two-sided p of McNemar's exact test, of the hypothesis that two checkpoints err equally often.

    Of the images that only one of them gets right, each is equally likely to be right in either: a binomial of 1/2.

    Parameters
    ----------
    first, second
        (N,) bool: which images each gets right.
    """
    _check(first, second, 1)
    both = int((first ^ second).sum())
    only_first = int((first & ~second).sum())
    fewer = min(only_first, both - only_first)
    return min(1.0, 2.0 * float(special.bdtr(fewer, both, 0.5)))


def paired_difference(first: Tensor, second: Tensor) -> PairedDifference:
    """Test the mean difference between two methods that were run with the same seeds on the same images.

    With d the (S, N) differences, 1, 0 or -1: the error adds the variance of the S seeds' means, divided by S, and that
    of the N images' means, divided by N; both would be others in another experiment. (What varies with seed and image
    at once is in both: the error is rather too large.) The quotient of mean and error is held against Student's t with
    S - 1 degrees of freedom. Satterthwaite's would be more, and most where few seeds happen to agree, which is where
    the error is too small: in 3 seeds p below 1e-4 would come up a hundred times too often. One seed says nothing about
    others: the images alone are allowed for then, with N - 1 degrees, as in McNemar's test.

    Parameters
    ----------
    first, second
        (S, N) bool: which images each gets right under each seed. N at least 2.
    """
    _check(first, second, 2)
    seeds, images = first.shape
    differences = first.to(torch.int8) - second.to(torch.int8)
    by_seed = differences.sum(1, dtype=torch.int32).double() / images
    by_image = differences.sum(0, dtype=torch.int32).double() / seeds
    of_seeds = float(by_seed.var()) / seeds if seeds > 1 else 0.0
    of_images = float(by_image.var()) / images
    freedom = seeds - 1 if seeds > 1 else images - 1
    return _against_t(100.0 * float(by_seed.mean()), 100.0 * math.sqrt(of_seeds + of_images), freedom)


def average_difference(differences: Sequence[PairedDifference]) -> PairedDifference:
    """Test the average of the differences between two methods on several pairs of domains, each counting once.

    The error is that of independent pairs: each has its own runs. Two pairs with the same target share its test images,
    but which images a method gains on one of them says little of which it gains on the other; the error would grow by a
    few per cent at most. Which pairs there are is given; others are not allowed for.

    Degrees of freedom are the fewest of any pair: at these, Student's t bounds the tail of a sum of variances, whatever
    their ratio (Hájek 1962; Mickey and Brown 1966). Satterthwaite's are no bound: of 2 to 4 pairs with 3 seeds of which
    one varies most, p below 1e-4 would come up 5 to 40 times too often. The price is power where pairs vary alike.

    Parameters
    ----------
    differences
        From `paired_difference`, one for each pair of domains.
    """
    count = len(differences)
    mean = sum(each.mean for each in differences) / count
    error = math.sqrt(sum(each.error**2 for each in differences)) / count
    return _against_t(mean, error, min(each.freedom for each in differences))


def _against_t(mean: float, error: float, freedom: int) -> PairedDifference:
    """Hold a mean against Student's t; one without any error differs for certain, unless it is 0."""
    if error == 0.0:
        return PairedDifference(mean, error, 1.0 if mean == 0.0 else 0.0, freedom)
    return PairedDifference(mean, error, 2.0 * float(special.stdtr(freedom, -abs(mean) / error)), freedom)


def against_chosen_best(p: float, methods: int) -> float:
    """Adjust the p of a comparison with the best of some methods, which the same data chose.

    Any of the m methods could have been the best. Each p is multiplied by m / 2, and cut off at 1: each of the m - 1
    comparisons then stands for its share of the m (m - 1) / 2 between any two.

    Parameters
    ----------
    p
        Of a method's comparison with the best.
    methods
        m, how many the best was chosen from, itself included.
    """
    return min(1.0, p * methods / 2)


def draw_images(images: int, resamples: int = 1000, seed: int = 0) -> Tensor:
    """Draw a test set again and again, as many images as it has, with replacement.

    Parameters
    ----------
    images
        N, the number of images.
    resamples
        R, how often to draw.
    seed
        Of the drawing: the same every time.

    Returns
    -------
    Tensor
        (R, N) float32: how often each image is drawn.
    """
    generator = np.random.default_rng(seed)
    counts = torch.empty(resamples, images)
    for row in counts:
        drawn = generator.integers(images, size=images)
        row.copy_(torch.from_numpy(np.bincount(drawn, minlength=images)))
    return counts


def drawn_accuracies(correct: Tensor, drawn: Tensor) -> Tensor:
    """Return the accuracy on each drawn test set.

    Parameters
    ----------
    correct
        (M, N) bool: which images each of M checkpoints gets right.
    drawn
        (R, N) from `draw_images`.

    Returns
    -------
    Tensor
        (M, R) in percent.
    """
    # What all or none get right needs no product: it adds the same to each.
    share = correct.float().mean(0)
    told = (share > 0) & (share < 1)
    common = drawn[:, share == 1].sum(1)
    return 100.0 * (correct[:, told].float() @ drawn[:, told].T + common) / correct.shape[1]


def paired_bootstrap(first: Tensor, second: Tensor, confidence: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Return the percentile interval of the mean difference when seeds and images are drawn again, with replacement.

    Seeds and images are drawn independently of each other, and both methods always share them (Owen 2007: The
    pigeonhole bootstrap). With fewer than some 5 seeds the interval is too narrow where seeds differ much: the p of
    `paired_difference` allows for that.

    Parameters
    ----------
    first, second
        (S, R) from `drawn_accuracies`, of the same seeds and the same drawn images.
    confidence
        How often such an interval should hold the difference.
    seed
        Of the drawing of seeds: the same interval every time.

    Returns
    -------
    tuple of float
        Its two ends: the first's accuracy minus the second's, in percentage points.
    """
    if first.shape != second.shape or first.ndim != 2 or 0 in first.shape:
        raise ValueError(f"both must be (S, R), not {tuple(first.shape)} and {tuple(second.shape)}")
    seeds, resamples = first.shape
    weights = np.random.default_rng(seed).multinomial(seeds, np.full(seeds, 1.0 / seeds), size=resamples) / seeds
    means = ((first - second).numpy(force=True) * weights.T).sum(0)
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(means, [tail, 100.0 - tail])
    return float(low), float(high)


def _check(first: Tensor, second: Tensor, dimensions: int) -> None:
    shapes = f"{tuple(first.shape)} {first.dtype} and {tuple(second.shape)} {second.dtype}"
    if first.shape != second.shape or first.ndim != dimensions or not first.dtype == second.dtype == torch.bool:
        wanted = "(N,)" if dimensions == 1 else "(S, N)"
        raise ValueError(f"both must be {wanted} bool, of the same images and seeds, not {shapes}")
    if first.shape[-1] < dimensions or first.shape[0] < 1:
        raise ValueError(f"there must be a seed and some images, not {shapes}")

"""Calibration: whether a model is right as often as it says. Functions of logits and true labels, in float64."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from uda.metrics.accuracy import check_outputs


@dataclass(frozen=True)
class Reliability:
    """Images by the confidence of their prediction: what a reliability diagram shows.

    Attributes
    ----------
    edges
        (B + 1,) confidences that bound the bins; a bin holds its upper edge and not its lower one.
    counts
        (B,) int64, images in each bin.
    confidence, accuracy
        (B,) float64 shares 0..1: mean confidence and accuracy of the images in each bin; NaN for an empty one.
    """

    edges: Tensor
    counts: Tensor
    confidence: Tensor
    accuracy: Tensor


def reliability(logits: Tensor, labels: Tensor, bins: int = 15, *, equal_mass: bool = False) -> Reliability:
    """Sort images into bins by confidence, the largest probability of their softmax.

    Parameters
    ----------
    logits
        (N, K), N at least 1.
    labels
        (N,) integers in 0..K-1.
    bins
        How many, 1 or more.
    equal_mass
        Whether the bins hold equally many images (up to one), in order of confidence; of equal width in 0..1 otherwise.
        Images of equal confidence count with their mean accuracy, so that their order does not matter where an edge
        runs through them.

    Raises
    ------
    ValueError
        For wrong shapes, labels out of range, or less than one bin.
    """
    check_outputs(logits, labels)
    if bins < 1:
        raise ValueError(f"bins is {bins}: it must be 1 or more")
    confidence, predicted = F.softmax(logits.double(), 1).max(1)
    correct = (predicted == labels).double()
    if equal_mass:
        return _equal_mass(confidence, correct, bins)
    edges = torch.linspace(0, 1, bins + 1, dtype=torch.float64)
    # bucketize with the inner edges: 0 to bins - 1, and what rounding lifts above 1 stays in the last
    place = torch.bucketize(confidence, edges[1:-1])
    counts = torch.bincount(place, minlength=bins)
    confidences = torch.bincount(place, confidence, bins) / counts
    return Reliability(edges, counts, confidences, torch.bincount(place, correct, bins) / counts)


def expected_calibration_error(logits: Tensor, labels: Tensor, bins: int = 15, *, equal_mass: bool = False) -> float:
    """Return the gap between accuracy and confidence, averaged over bins weighted by their images.

    Guo et al. 2017, "On Calibration of Modern Neural Networks", equation (3); with ``equal_mass`` the adaptive form of
    Nguyen and O'Connor 2015, which does not hang on where most confidences crowd into one bin.

    Parameters
    ----------
    logits, labels, bins, equal_mass
        As in `reliability`.

    Returns
    -------
    float
        A share, 0..1; 0 is calibrated.
    """
    found = reliability(logits, labels, bins, equal_mass=equal_mass)
    gaps = (found.accuracy - found.confidence).abs().nan_to_num(0.0)
    return float((found.counts * gaps).sum() / found.counts.sum())


def negative_log_likelihood(logits: Tensor, labels: Tensor) -> float:
    """Return the mean negative log probability of the true class of (N, K) logits and (N,) labels, in nats."""
    check_outputs(logits, labels)
    return float(F.cross_entropy(logits.double(), labels.long()))


def brier(logits: Tensor, labels: Tensor) -> float:
    """Return the Brier score of (N, K) logits and (N,) labels: 0 for sure and right, 2 for sure and wrong.

    Brier 1950: the squared distance between the probabilities and the one-hot label, summed over classes (not halved)
    and averaged over images.
    """
    check_outputs(logits, labels)
    one_hot = F.one_hot(labels.long(), logits.shape[1])
    return float((F.softmax(logits.double(), 1) - one_hot).square().sum(1).mean())


def _equal_mass(confidence: Tensor, correct: Tensor, bins: int) -> Reliability:
    """Cut the images into bins of equal size in order of confidence; the edges are the largest of each bin."""
    ordered, order = confidence.sort()
    tie, ties = torch.unique(ordered, return_inverse=True, return_counts=True)[1:]
    shared = (torch.bincount(tie, correct[order]) / ties)[tie]
    pieces = list(zip(ordered.tensor_split(bins), shared.tensor_split(bins), strict=True))
    edges = [torch.zeros((), dtype=torch.float64)]
    for piece, _ in pieces:
        edges.append(piece[-1] if len(piece) else edges[-1])
    return Reliability(
        torch.stack(edges),
        torch.tensor([len(piece) for piece, _ in pieces]),
        torch.stack([piece.mean() for piece, _ in pieces]),
        torch.stack([right.mean() for _, right in pieces]),
    )

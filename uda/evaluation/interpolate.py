"""Latent interpolations: the way from one image of a domain to another, drawn in both domains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from uda.data.augmentation import to_float
from uda.data.protocols import load_task
from uda.errors import UserError
from uda.evaluation.classify import Weights
from uda.evaluation.labels import domain_labels
from uda.evaluation.translate import one_per_class_first
from uda.evaluation.translators import find_core, to_uint8
from uda.training.checkpoint import load_model
from uda.unit.core import UNIT


@dataclass(frozen=True)
class Interpolation:
    """One way through the latent space; T steps, both ends included.

    Attributes
    ----------
    origin, destination
        Names of the domain that the images are of, and of the other, for people.
    first, last
        (C, S, S) uint8: the two images.
    own
        (T, C, S, S) uint8: the codes on the way, drawn in the origin.
    other
        (T, C', S, S) uint8: the same codes drawn in the destination.
    """

    origin: str
    destination: str
    first: Tensor
    last: Tensor
    own: Tensor
    other: Tensor


def interpolate_domains(
    path: Path,
    weights: Weights,
    domain: Literal["source", "target"],
    count: int,
    steps: int,
    root: Path,
) -> tuple[Interpolation, ...]:
    """Interpolate between held-out images of one of the run's domains.

    Parameters
    ----------
    path
        ``checkpoint.pt`` of a run.
    weights
        Those of the last step or of the validator's pick.
    domain
        Whose test images stand at the ends.
    count
        How many ways: from the first image of a class to the first of the next, each image once.
    steps
        Codes on each way, both ends included; 2 or more.
    root
        The data root.

    Raises
    ------
    UserError
        For a file that is no checkpoint of ours, a method without codes of images, missing data, or too few images.
    """
    method, loaded = load_model(path, weights)
    core, config = find_core(method), loaded.config
    if core is None:
        raise UserError(
            f"{path}: its method, {config.method!r}, has no codes to interpolate between; give a run of unit"
        )
    task = load_task(config.protocol, config.source, config.target, root)
    origin = ("source", "target").index(domain)
    split = (task.source_val, task.target_test)[origin]
    chosen = split.images[one_per_class_first(split.labels, 2 * count)]
    if len(chosen) < 2:
        raise UserError(f"{path}: the test split of its {domain} has fewer than two images to interpolate between")
    names = domain_labels((config.source, config.target))
    ways = []
    for first, last in zip(chosen[0::2], chosen[1::2], strict=False):
        own, other = interpolate(core, first, last, origin, steps)
        ways.append(Interpolation(names[origin], names[1 - origin], first, last, own, other))
    return tuple(ways)


@torch.no_grad()
def interpolate(core: UNIT, first: Tensor, last: Tensor, origin: int, steps: int) -> tuple[Tensor, Tensor]:
    """Draw the straight way between two images' mean codes, in both domains.

    Parameters
    ----------
    core
        In eval mode.
    first, last
        (C, S, S) uint8 images of a domain.
    origin
        That domain: 0 source, 1 target.
    steps
        Codes on the way, both ends included; 2 or more.

    Returns
    -------
    tuple
        (T, C, S, S) uint8 in the origin, and (T, C', S, S) in the other domain.
    """
    start, end = core.encode(to_float(torch.stack([first, last])), origin)
    share = torch.linspace(0.0, 1.0, steps).reshape(-1, *[1] * start.ndim)
    codes = torch.lerp(start.expand(steps, *start.shape), end.expand(steps, *end.shape), share)
    return to_uint8(core.decode(codes, origin)), to_uint8(core.decode(codes, 1 - origin))

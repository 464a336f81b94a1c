"""What discriminators are made of, up to their verdict: the authors' blocks, or the LeNet of the paper's digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from torch import nn

from uda.errors import UserError, unknown
from uda.unit.small_map import SmallMap
from uda.unit.whole_map import WholeMap


@dataclass(frozen=True)
class Step:
    """A convolution of stride 1, a ReLU, and 2x2 max pooling where it is ``pooled``; then dropout with ``rate``."""

    channels: int
    kernel: int
    padded: bool
    pooled: bool
    rate: float

    def side(self, side: int) -> int:
        """Side of the map that it makes of one."""
        kept = side if self.padded else side - self.kernel + 1
        return kept // 2 if self.pooled else kept

    def layer(self, channels: int) -> nn.Conv2d:
        """Build its convolution for a map of so many channels that the domains have in common."""
        if self.padded:
            return SmallMap(channels, self.channels, self.kernel, 1, self.kernel // 2)
        kind = nn.Conv2d if self.pooled else WholeMap
        return kind(channels, self.channels, self.kernel)


def blocks(size: int, width: int) -> list[Step]:
    """Convolutions 5x5, padded and pooled, until the map's side is at most 3: the authors' code, for 32 x 32 images.

    Parameters
    ----------
    size
        Side of the images.
    width
        Channels of the first; each further one has twice as many, up to 8 times.
    """
    rates, side = (0.1, 0.3, 0.5), size // 2
    steps = [Step(width, 5, True, True, rates[0])]
    while side > 3:
        side //= 2
        steps.append(Step(min(2 * steps[-1].channels, 8 * width), 5, True, True, rates[min(len(steps), 2)]))
    return steps


def lenet(size: int, width: int) -> list[Step]:
    """Two convolutions 5x5 without padding, pooled, and a layer of the whole map: the paper's for MNIST and USPS.

    Dropout is behind the last alone. CoGAN's code for these digits has the same layers without the first two ReLUs and
    with a parametric last one.

    Parameters
    ----------
    size
        Side of the images.
    width
        Channels of the first; the second has 2.5 times as many, the last 25 times: 20, 50 and 500 in the paper.

    Raises
    ------
    UserError
        For an odd width, or images that are too small.
    """
    if width % 2:
        raise UserError(f"discriminator_width is {width}: LeNet's second layer has 2.5 times as many; make it even")
    steps = [Step(width, 5, False, True, 0.0), Step(5 * width // 2, 5, False, True, 0.0)]
    side = steps[1].side(steps[0].side(size))
    if side < 1:
        raise UserError(f"images of {size} x {size} are too small for LeNet discriminators: they need 16 x 16 or more")
    return [*steps, Step(25 * width, side, False, False, 0.5)]


#: What builds the steps of a discriminator, by its name in a config, for a side of images and a width.
TRUNKS: dict[str, Callable[[int, int], list[Step]]] = {"blocks": blocks, "lenet": lenet}


def plan(name: str, size: int, width: int) -> tuple[list[Step], int]:
    """Return the steps of a trunk, and the side of the map that the last one leaves.

    Raises
    ------
    UserError
        For an unknown name, or what `lenet` raises.
    """
    if name not in TRUNKS:
        raise unknown("trunk", name, TRUNKS)
    steps, side = TRUNKS[name](size, width), size
    for step in steps:
        side = step.side(side)
    return steps, side


def shared_layers(steps: list[Step]) -> list[Callable[[], nn.Module]]:
    """Return for each step but the first, which reads images, what builds its convolution."""
    return [partial(step.layer, before.channels) for before, step in pairwise(steps)]

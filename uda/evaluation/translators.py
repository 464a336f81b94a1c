"""Runs that translate images between the domains of a pair, with the test images that they translate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from uda.data.augmentation import to_float
from uda.data.domains import Split
from uda.data.protocols import load_task
from uda.errors import UserError
from uda.evaluation.classify import Weights
from uda.methods import Method
from uda.training.checkpoint import LoadedCheckpoint, load_model
from uda.training.config import RunConfig
from uda.unit.core import UNIT

#: Draws (N, C, S, S) images in [-1, 1] of a domain (0 source, 1 target) in the other one.
Draw = Callable[[Tensor, int], Tensor]


@dataclass(frozen=True)
class Translator:
    """A run that translates: its checkpoint, and what was trained."""

    path: Path
    loaded: LoadedCheckpoint
    method: Method

    @property
    def draw(self) -> Draw:
        """What translates."""
        return self.method.translate


def open_translator(path: Path, weights: Weights) -> Translator:
    """Load a run that translates, with the weights of its last step or of its validator's pick.

    Raises
    ------
    UserError
        For a file that is no checkpoint of ours, or one that does not translate.
    """
    method, loaded = load_model(path, weights)
    if not method.translates(method.config):
        raise UserError(
            f"{path}: its method, {method.name!r}, does not translate images as it was set; give a run of unit with a "
            "game, or of cycada with a pixel stage"
        )
    return Translator(path, loaded, method)


def open_translators(paths: Sequence[Path], weights: Weights) -> list[Translator]:
    """Load runs as `open_translator` does; `UserError` also where they are of several pairs or protocols."""
    translators = [open_translator(path, weights) for path in paths]
    _check_one_pair(paths, [translator.loaded.config for translator in translators])
    return translators


def load_test_splits(translator: Translator, root: Path) -> tuple[tuple[Split, Split], tuple[str, ...]]:
    """Load the test images of a translator's source and target, and what must be said of them.

    Raises
    ------
    UserError
        For missing data, or data of other classes.
    """
    config, names = translator.loaded.config, translator.loaded.class_names
    task = load_task(config.protocol, config.source, config.target, root)
    if task.class_names != names:
        raise UserError(
            f"{translator.path}: was trained on the classes {', '.join(names)}, but the data under {root} has "
            f"{', '.join(task.class_names)}; give the data that it was trained on"
        )
    return (task.source_val, task.target_test), task.notes


@torch.no_grad()
def draw_there_and_back(draw: Draw, images: Tensor, origin: int, batch_size: int = 500) -> tuple[Tensor, Tensor]:
    """Translate images of a domain, and the translations back, as ``uda translate`` draws them.

    Parameters
    ----------
    draw
        The translator.
    images
        (N, C, S, S) uint8.
    origin
        Their domain: 0 source, 1 target.
    batch_size
        Images in one pass.

    Returns
    -------
    tuple
        (N, C', S, S) and (N, C, S, S) uint8. What goes back is not rounded in between.
    """
    drawn = []
    for piece in torch.split(images, batch_size):
        translations = draw(to_float(piece), origin)
        drawn.append((to_uint8(translations), to_uint8(draw(translations, 1 - origin))))
    there, back = (torch.cat(pieces) for pieces in zip(*drawn, strict=True))
    return there, back


def to_uint8(images: Tensor) -> Tensor:
    """Map [-1, 1] to uint8 0..255, rounded; what lies outside is clipped."""
    return ((images.float() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)


def find_core(method: Method) -> UNIT | None:
    """Return what a method encodes and decodes images of both domains with; None where it has no such thing."""
    core = getattr(method, "core", None)
    return core if isinstance(core, UNIT) else None


def _check_one_pair(paths: Sequence[Path], configs: Sequence[RunConfig]) -> None:
    """Raise `UserError` where a run is of another pair or protocol than the first."""
    first = configs[0]
    for path, c in zip(paths, configs, strict=True):
        if (c.protocol, c.source, c.target) != (first.protocol, first.source, first.target):
            raise UserError(
                f"{path}: is of {c.source} to {c.target}, protocol {c.protocol}, but {paths[0]} of {first.source} to "
                f"{first.target}, protocol {first.protocol}; give checkpoints of one pair and protocol"
            )

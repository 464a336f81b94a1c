"""Run images through a trained translator: reconstruction, translation and back again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from uda.data.augmentation import to_float
from uda.evaluation.labels import domain_labels
from uda.evaluation.own_images import find_images, read_fitted
from uda.evaluation.translators import (
    Translator,
    draw_there_and_back,
    find_core,
    load_test_splits,
    open_translator,
    to_uint8,
)

Direction = Literal["source-to-target", "target-to-source", "both"]

_ORIGINS = {"source-to-target": (0,), "target-to-source": (1,), "both": (0, 1)}


@dataclass(frozen=True)
class Translations:
    """Images of one domain in all streams.

    Attributes
    ----------
    origin, destination
        Names of the domains, for people.
    inputs, cycles
        (N, C, S, S) uint8 in the origin's channels.
    reconstructions
        The same; None where the method only translates, and draws no image in its own domain.
    translations
        (N, C', S, S) uint8 in the destination's channels.
    """

    origin: str
    destination: str
    inputs: Tensor
    reconstructions: Tensor | None
    translations: Tensor
    cycles: Tensor


def translate_domains(
    path: Path, weights: Literal["last", "pick"], direction: Direction, count: int, root: Path
) -> tuple[Translations, ...]:
    """Translate held-out images of the run's own domains (the test split of each).

    Parameters
    ----------
    path
        ``checkpoint.pt`` of a run.
    weights
        Those of the last step or of the validator's pick.
    direction
        One way, or both.
    count
        How many images of each domain: the first of each class, then the second of each, and so on.
    root
        The data root.

    Raises
    ------
    UserError
        For a file that is no checkpoint of ours, a method that cannot translate, or missing data.
    """
    translator = open_translator(path, weights)
    splits, _ = load_test_splits(translator, root)
    return tuple(
        _run(translator, splits[origin].images[one_per_class_first(splits[origin].labels, count)], origin)
        for origin in _ORIGINS[direction]
    )


def translate_folder(
    path: Path, weights: Literal["last", "pick"], direction: Direction, count: int, folder: Path
) -> tuple[Translations, ...]:
    """Translate the first images of a folder, by name; needs the checkpoint and no data.

    Parameters
    ----------
    path, weights
        As in `translate_domains`.
    direction
        Tells which domain the images belong to; ``"both"`` treats them as either.
    count
        How many images at most.
    folder
        Holds image files, at any depth; each is resized to the model's size and converted to its channels.

    Raises
    ------
    UserError
        As in `translate_domains`, and for a folder without images or with one that cannot be read.
    """
    translator = open_translator(path, weights)
    files = find_images([folder])
    task = translator.method.task
    shapes = (task.source_shape, task.target_shape)
    return tuple(
        _run(translator, torch.stack([read_fitted(file, shapes[origin]) for file in files[:count]]), origin)
        for origin in _ORIGINS[direction]
    )


def one_per_class_first(labels: Tensor, count: int) -> Tensor:
    """Choose images that show all classes: the first of each class in label order, then the second of each, and so on.

    Of images without labels, the first.

    Parameters
    ----------
    labels
        (N,) integers; negative where there are none.
    count
        How many; all N where it is larger.

    Returns
    -------
    Tensor
        (min(count, N),) int64 indices.
    """
    if bool((labels < 0).any()):
        return torch.arange(min(count, len(labels)))
    turn = torch.empty_like(labels)
    for label in range(int(labels.max()) + 1):
        members = labels == label
        turn[members] = torch.arange(int(members.sum()), dtype=labels.dtype)
    order = torch.argsort(turn * (labels.max() + 1) + labels, stable=True)
    return order[:count]


@torch.no_grad()
def _run(translator: Translator, images: Tensor, origin: int) -> Translations:
    config, core = translator.loaded.config, find_core(translator.method)
    names = domain_labels((config.source, config.target))
    translations, cycles = draw_there_and_back(translator.draw, images, origin)
    return Translations(
        origin=names[origin],
        destination=names[1 - origin],
        inputs=images,
        reconstructions=to_uint8(core.reconstruct(to_float(images), origin)) if core else None,
        translations=translations,
        cycles=cycles,
    )

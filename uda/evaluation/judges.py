"""Classifiers that judge images of one domain: runs that learnt its labels, and of no other domain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from uda.data.domains import is_own
from uda.errors import UserError
from uda.evaluation.labels import method_label, pair_label
from uda.methods.classifier import ClassifierMethod
from uda.training.checkpoint import load_model
from uda.training.config import RunConfig
from uda.training.scoring import predict_outputs

#: Classifies (N, C, S, S) uint8 images: (N, K) logits.
Read = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Judge:
    """A classifier of a domain's images: its run, for people, and what it does."""

    label: str
    read: Read


def load_judge(
    path: Path,
    side: Literal["source", "target"],
    config: RunConfig,
    shape: tuple[int, int, int],
    class_names: tuple[str, ...],
) -> Judge:
    """Load a classifier of one of a pair's domains.

    Parameters
    ----------
    path
        ``checkpoint.pt`` of a target-only run to that domain, or of a source-only run from it. Its weights are those of
        the last step.
    side, config
        Which domain of whose pair; the protocol must be that of the config, too.
    shape
        (C, S, S) of the domain's images there.
    class_names
        In the order of the logits that are wanted.

    Raises
    ------
    UserError
        For a file that is no checkpoint of ours, or one of another method, domain, protocol, shape or classes.
    """
    domain = config.source if side == "source" else config.target
    method, loaded = load_model(path)
    theirs = loaded.config
    learnt = {"target-only": theirs.target, "source-only": theirs.source}.get(theirs.method)
    wanted = f"give a target-only run to {domain}, or a source-only run from it, under protocol {config.protocol}"
    if side == "target" and is_own(domain):  # which may have no labels
        wanted += "; where none of its training images has a label no run can judge there, and --source-judge alone can"
    if learnt is None or not isinstance(method, ClassifierMethod):
        raise UserError(
            f"{path}: is a run of {theirs.method}, but images of {domain} are judged by its labels; {wanted}"
        )
    if (learnt, theirs.protocol) != (domain, config.protocol):
        raise UserError(
            f"{path}: learnt the images of {learnt} under protocol {theirs.protocol}, but is to judge the {side}, "
            f"{domain} under protocol {config.protocol}; {wanted}"
        )
    reads = method.reads(method.task)
    if reads != shape:
        raise UserError(
            f"{path}: reads images of {_size(reads)}, but those of {domain} here are {_size(shape)}; {wanted}"
        )
    if sorted(loaded.class_names) != sorted(class_names):
        raise UserError(f"{path}: knows the classes {', '.join(loaded.class_names)}, not {', '.join(class_names)}")
    order = [loaded.class_names.index(name) for name in class_names]
    # The memory layout of most runs: on the target's test images this is, but for rounding, the run's own accuracy.
    laid_out = method.to(memory_format=torch.channels_last)
    pair = pair_label((theirs.source, theirs.target))
    return Judge(
        label=f"{method_label(theirs.method)} ({theirs.preset}), {pair}, seed {theirs.seed}, step {loaded.step:,}",
        read=lambda images: predict_outputs(laid_out, images).logits[:, order],
    )


def _size(shape: tuple[int, int, int]) -> str:
    channels, height, width = shape
    return f"{height} x {width} in {channels} channel{'s' if channels > 1 else ''}"

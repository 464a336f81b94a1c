"""The contract of a method: one class, `update` and `predict`, its `Config` and presets beside it."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from uda.data.batches import Batch, Batches
from uda.errors import UserError, unknown
from uda.methods.ranges import Share, check_ranges

#: What a method does about the shift; tables group their rows by it. The two ``-only`` are the bounds.
Kind = Literal[
    "source-only",
    "shallow",
    "discrepancy",
    "adversarial",
    "generative",
    "self-training",
    "source-free",
    "other",
    "target-only",
]


@dataclass(frozen=True)
class TaskShape:
    """What a method must know of a task to build its networks; `UserError` where the domains' images differ in size.

    Attributes
    ----------
    source_shape, target_shape
        (C, S, S) of one image.
    classes
        Number of classes.
    steps
        Planned number of updates, for schedules.
    """

    source_shape: tuple[int, int, int]
    target_shape: tuple[int, int, int]
    classes: int
    steps: int

    def __post_init__(self) -> None:
        if self.source_shape[1:] != self.target_shape[1:]:
            raise UserError(f"both domains must have one image size, not {self.source_shape} and {self.target_shape}")


@dataclass(frozen=True)
class OptimiserConfig:
    """Settings that every method has.

    Attributes
    ----------
    learning_rate
        Adam's, at the first step.
    beta_1, beta_2
        Adam's.
    weight_decay
        L2 penalty, Adam's. None where a method does not say otherwise: most papers that train by momentum have 5e-4 or
        1e-3, from which a method here differs even where its constants are else its authors'.
    schedule
        ``"constant"`` or ``"cosine"`` (to zero at the last step).
    """

    learning_rate: float = 1e-3
    beta_1: Share = 0.9
    beta_2: Share = 0.999
    weight_decay: float = 0.0
    schedule: str = "cosine"

    def __post_init__(self) -> None:
        if self.schedule not in ("constant", "cosine"):
            raise unknown("schedule", self.schedule, ("constant", "cosine"))
        check_ranges(self)


class Outputs(NamedTuple):
    """What a method says of N images: (N, F) features that its classifier reads, and (N, K) logits."""

    features: Tensor
    logits: Tensor


class Method(nn.Module):
    """A domain adaptation method.

    Subclasses give `name`, `kind` and `Config` beside their base, ``class Jan(JointMethod, name="jan",
    kind="discrepancy", config=JanConfig)``, set `summary` and `paper`, build their networks in ``__init__``, register
    them with `optimise`, and implement `update` and `outputs`. What is not given is the base's.

    Attributes
    ----------
    name, kind, summary, paper
        What it is called, what it does about the shift, in a line, and where it was published.
    label
        How tables spell its name; empty where that is ``name`` in capitals.
    Config
        Its settings: a frozen dataclass.
    presets
        Named settings: each a dict of settings of ``Config``, and of run settings (``steps``, ``batch_size``,
        ``evaluate_every``, ``augmentation``) where a preset fixes those too.
    needs
        What it needs beside labelled source and unlabelled target images, in words; empty where that is all.
    sees_target_labels
        True for the supervised ceiling alone: the trainer then calls ``receive_target_labels``.
    only_at_end
        True where the last step makes the method, as one that finds its map there: what is evaluated before is not the
        method yet, but networks that it begins with. No validator picks it, and no oracle.
    waits
        True where an update cannot but wait for the device, as for what only the CPU can compute: it is not captured.
    second_view
        Whether batches must hold ``target_again``, a second augmentation of the target images.
    """

    name: ClassVar[str]
    label: ClassVar[str] = ""
    summary: ClassVar[str]
    paper: ClassVar[str] = ""
    needs: ClassVar[str] = ""
    kind: ClassVar[Kind] = "other"
    Config: ClassVar[type[Any]]
    presets: ClassVar[dict[str, dict[str, Any]]] = {"default": {}}
    sees_target_labels: ClassVar[bool] = False
    only_at_end: ClassVar[bool] = False
    waits: ClassVar[bool] = False

    def __init_subclass__(
        cls, name: str | None = None, kind: Kind | None = None, config: type[OptimiserConfig] | None = None
    ) -> None:
        super().__init_subclass__()
        for attribute, value in (("name", name), ("kind", kind), ("Config", config)):
            if value is not None:
                setattr(cls, attribute, value)

    def __init__(self, config: OptimiserConfig, task: TaskShape) -> None:
        super().__init__()
        self.config: Any = config
        self.task = task
        self.optimisers: dict[str, Optimizer] = {}
        self.rates: dict[str, float] = {}
        self.stage = -1  # none has begun
        self.second_view = False

    def optimise(self, name: str, *networks: nn.Module, rate: float = 1.0) -> Optimizer:
        """Register networks under one Adam, so that saving, resuming and scheduling know of it.

        Its learning rate is ``rate`` times that of the settings.
        """
        config = self.config
        self.rates[name] = rate
        self.optimisers[name] = Adam(
            [p for network in networks for p in network.parameters()],
            lr=config.learning_rate * rate,
            betas=(config.beta_1, config.beta_2),
            weight_decay=config.weight_decay,
        )
        return self.optimisers[name]

    @property
    def starts(self) -> tuple[int, ...]:
        """The steps at which its stages begin, the first at 0; one stage unless a method says otherwise."""
        return (0,)

    def enter(self, step: int, batches: Batches) -> bool:
        """Do what is due before the update of a step: begin a stage where one begins, then `refresh`.

        Returns
        -------
        bool
            Whether this update belongs to another stage than the last one, so that a captured one no longer holds.
        """
        stage = bisect_right(self.starts, step) - 1
        changed = stage != self.stage
        if changed and step == self.starts[stage]:
            self.begin_stage(stage, batches)
        self.stage = stage
        self.refresh(step, batches)
        return changed

    def begin_stage(self, stage: int, batches: Batches) -> None:
        """Prepare a stage at its first step: copy networks, freeze them, begin averages anew. Nothing by default.

        What it leaves must lie in parameters, buffers and optimisers: a run that is resumed later does not call it.
        """

    def refresh(self, step: int, batches: Batches) -> None:
        """Bring up to date, before an update, what is made from all training images. Nothing by default.

        As for `begin_stage`, all that it leaves lies in buffers. ``batches`` holds the images of both domains, and
        the labels of the source.
        """

    def schedule(self, step: int) -> None:
        """Set the learning rates for a step: the schedule runs from the beginning to the end of each stage."""
        factor = 1.0
        if self.config.schedule == "cosine":
            ends = (*self.starts, self.task.steps)
            stage = bisect_right(self.starts, step) - 1
            progress = (step - ends[stage]) / max(1, ends[stage + 1] - ends[stage])
            factor = 0.5 * (1.0 + math.cos(math.pi * progress))
        for name, optimiser in self.optimisers.items():
            rate = self.config.learning_rate * self.rates[name] * factor
            for group in optimiser.param_groups:
                if isinstance(group["lr"], Tensor):  # read by a captured update: written in place
                    group["lr"].fill_(rate)
                else:
                    group["lr"] = rate

    def receive_target_labels(self, labels: Tensor) -> None:
        """Take the (N,) target training labels: the supervised ceiling alone has this door."""
        raise UserError(f"{self.name} adapts without target labels and must not be given any")

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Make one complete optimisation step.

        On a CUDA device it is captured once and replayed, unless the method `waits`. So nothing in it may depend on a
        value that Python knows and that changes between steps: what follows the step is computed from ``step`` on the
        device.

        Parameters
        ----------
        batch
            The images of the step.
        step
            Scalar int64 tensor on the device: the number of updates made before.

        Returns
        -------
        dict
            Name of each term to its detached scalar tensor, never a Python float: that would wait for the device. The
            names are the same at every step; what a stage does not have is zero.
        """
        raise NotImplementedError

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return features and logits of images in one pass.

        Parameters
        ----------
        images
            (N, C, S, S) in [-1, 1].
        source
            Whether they are the source's, for methods whose domains have networks of their own.
        """
        raise NotImplementedError

    def predict(self, images: Tensor) -> Tensor:
        """Classify target images, (N, C, S, S) in [-1, 1]: (N, K) logits."""
        return self.outputs(images).logits

    def predict_source(self, images: Tensor) -> Tensor:
        """Classify source images: (N, K) logits."""
        return self.outputs(images, source=True).logits

    def features(self, images: Tensor) -> Tensor:
        """Return the (N, F) features of target images that the classifier reads."""
        return self.outputs(images).features

    @classmethod
    def trains_on(cls, config: Any) -> tuple[str, ...]:
        """Name the label-free validators whose score its loss has, with these settings: they like whatever it does."""
        return ()

    @classmethod
    def translates(cls, config: Any) -> bool:
        """Whether it can `translate` images, with these settings."""
        return False

    def translate(self, images: Tensor, origin: int) -> Tensor:
        """Draw images of one domain in the other, without noise: of methods that say so in `translates`.

        Parameters
        ----------
        images
            (N, C, S, S) in [-1, 1].
        origin
            Their domain: 0 source, 1 target.

        Returns
        -------
        Tensor
            (N, C', S, S) in [-1, 1].
        """
        raise NotImplementedError


def descend(optimiser: Optimizer, loss: Tensor, *others: Optimizer) -> None:
    """Take one step of an optimiser, and of any others, down the gradient of a loss.

    Only their own parameters get a gradient.
    """
    optimisers = (optimiser, *others)
    parameters = [p for each in optimisers for group in each.param_groups for p in group["params"]]
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if gradient is not None and gradient.stride() != parameter.stride():
            # a fused optimiser walks parameter and gradient in the order of memory
            gradient = torch.empty_like(parameter).copy_(gradient)
        parameter.grad = gradient
    for each in optimisers:
        each.step()
    # autocast keeps the casts of weights until it is left, and does not see that the weights have moved
    torch.clear_autocast_cache()


def detached(**terms: Tensor) -> dict[str, Tensor]:
    """Return the terms of an update, cut from the graph."""
    return {name: term.detach() for name, term in terms.items()}


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of (N, K) logits and (N,) labels, in fp32, in nats."""
    return F.cross_entropy(logits.float(), labels)

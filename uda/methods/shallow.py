"""What shallow methods share: a map of features that were learned before, or of pixels, and a linear classifier on it.

The source stage trains backbone and head as source-only does. At the last step of the run the networks stay as they
are: a sample of each domain's training images is read, the method finds its map from the two sets of features, and a
logistic regression is trained on the source's mapped features and labels. From then on it classifies; what a run
evaluates before is source-only's, so that neither a validator nor the oracle may pick it.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from uda.data.augmentation import to_float
from uda.data.batches import Batch, Batches, stream_seed
from uda.errors import NotFiniteError, UserError, unknown
from uda.methods.base import Outputs, TaskShape, cross_entropy, descend, detached
from uda.methods.classifier import ClassifierConfig, ClassifierMethod
from uda.methods.ranges import Positive, Range

Array = NDArray[np.float64]

#: Images in one pass when the sample is read.
PIECE = 500
#: Of the solver of the logistic regression.
MOST_ITERATIONS = 5000
#: Logit of a class of which the sample holds no image.
NEVER = -1e4
#: In place of a spread of 0, which nothing can be divided by; fp32 holds its inverse.
TINY = 1e-30
#: Raw pixels need no training: the one step of the run finds the map.
PIXELS: dict[str, Any] = {"on": "pixels", "steps": 1}


@dataclass(frozen=True)
class ShallowConfig(ClassifierConfig):
    """Settings of every shallow method.

    Attributes
    ----------
    on
        What is mapped: ``"features"`` of the trained backbone, or ``"pixels"``; then no backbone is trained, and the
        map is found at the first step.
    samples
        Training images of each domain, drawn by the run's seed, from which map and classifier are made; all where
        there are fewer.
    penalty
        Weight of the logistic regression's L2 penalty, the inverse of scikit-learn's C; its inputs are centred and
        scaled, all alike, to a mean variance of 1.
    """

    on: str = "features"
    samples: Annotated[int, Range(low=2)] = 2000
    penalty: Positive = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.on not in ("features", "pixels"):
            raise unknown("value of on", self.on, ("features", "pixels"))


class Fitted(nn.Module):
    """What was computed once, in buffers, so that a checkpoint has it; nothing at first.

    Their shapes are known when they are first given: the buffers grow then, and where a checkpoint is loaded.

    Parameters
    ----------
    names
        Of the tensors.
    """

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.names = names
        for name in names:
            self.register_buffer(name, torch.empty(0))

    @property
    def done(self) -> bool:
        """Whether everything was given."""
        return all(self.get_buffer(name).numel() for name in self.names)

    def keep(self, arrays: dict[str, Array]) -> None:
        """Keep arrays under their names, in fp32."""
        for name, array in arrays.items():
            buffer = self.get_buffer(name)
            setattr(self, name, torch.as_tensor(array, dtype=buffer.dtype, device=buffer.device))

    def __getitem__(self, name: str) -> Tensor:
        """Return a tensor in fp64, in which everything is computed: neither TF32 nor autocast touches it."""
        return self.get_buffer(name).double()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name in self.names:
            if prefix + name in state_dict:
                setattr(self, name, self.get_buffer(name).new_empty(state_dict[prefix + name].shape))
        super()._load_from_state_dict(state_dict, prefix, *rest)


class Shallow(ClassifierMethod, kind="shallow"):
    """A backbone and a head until the last step; then a map of each domain's features and a linear classifier.

    Subclasses say in ``KEPT`` what their map is made of, find it in `align`, and apply it in `mapped`.
    """

    presets: ClassVar[dict[str, dict[str, Any]]] = {"default": {}, "pixels": PIXELS}
    only_at_end: ClassVar[bool] = True

    KEPT: ClassVar[tuple[str, ...]]
    #: The module that finds the map and its package, if it is of an extra.
    LIBRARY: ClassVar[tuple[str, str] | None] = None

    def __init__(self, config: ShallowConfig, task: TaskShape) -> None:
        super().__init__(config, task)
        self.optimiser = self.optimise("source", self.backbone, self.head)
        self.fitted = Fitted(*self.KEPT, "weight", "bias")

    def align(self, source: Array, target: Array, labels: NDArray[np.int64]) -> dict[str, Array]:
        """Find the map.

        Parameters
        ----------
        source, target
            (N, F) and (M, F): what is mapped, of the sample of each domain.
        labels
            (N,) of the source.

        Returns
        -------
        dict
            An array for each name in ``KEPT``.
        """
        raise NotImplementedError

    def mapped(self, points: Tensor, *, source: bool) -> Tensor:
        """Map (N, F) points of a domain, in fp64, as `align` found: (N, D)."""
        raise NotImplementedError

    @property
    def starts(self) -> tuple[int, ...]:
        """The source stage begins at 0, where there is something to train; the map is found at the last step."""
        last = self.task.steps - 1
        return (0, last) if last and self.config.on == "features" else (0,)

    def begin_stage(self, stage: int, batches: Batches) -> None:
        """Find map and classifier when the source stage is over; a package that this needs is asked for before it."""
        if self.LIBRARY:
            library(*self.LIBRARY)
        if stage == len(self.starts) - 1:
            self._fit(batches)

    def update(self, batch: Batch, step: Tensor) -> dict[str, Tensor]:
        """Descend the cross-entropy of the source batch; once the classifier is there, nothing moves any more."""
        if self.fitted.done:
            self.eval()  # running statistics too stay what they were when the map was found
            with torch.no_grad():
                loss = cross_entropy(self.predict_source(batch.source_images), batch.source_labels)
            self.train()
            return detached(classification=loss)
        loss = cross_entropy(self.predict(batch.source_images), batch.source_labels)
        descend(self.optimiser, loss)
        return detached(classification=loss)

    def outputs(self, images: Tensor, *, source: bool = False) -> Outputs:
        """Return features and logits of images: of backbone and head, and mapped once the map is there."""
        if not self.fitted.done:
            return super().outputs(images, source=source)
        features = self.mapped(self.points(images).double(), source=source)
        logits = features @ self.fitted["weight"].T + self.fitted["bias"]
        return Outputs(features.float(), logits.float())

    def points(self, images: Tensor) -> Tensor:
        """Return what is mapped of (N, C, S, S) images of either domain: (N, F) features, or pixels."""
        readable = self.readable(images)
        if self.config.on == "pixels":
            return readable.flatten(1)
        features: Tensor = self.backbone(readable)
        return features

    @torch.no_grad()
    def _fit(self, batches: Batches) -> None:
        """Find the map, then train the classifier on the very features that it will read."""
        self.eval()
        source_index = self._sample("source", len(batches.source_images), batches)
        target_index = self._sample("target", len(batches.target_images), batches)
        source = self._read(batches.source_images[source_index])
        target = self._read(batches.target_images[target_index])
        self._check_points(source, target)
        labels = batches.source_labels[source_index].cpu().numpy()
        self.train()
        self.fitted.keep(self._finite(self.align(source.cpu().numpy(), target.cpu().numpy(), labels)))
        features = self.mapped(source, source=True).cpu().numpy()
        weight, bias = linear_classifier(features, labels, self.task.classes, self.config.penalty)
        self.fitted.keep(self._finite({"weight": weight, "bias": bias}))

    def _sample(self, domain: str, count: int, batches: Batches) -> Tensor:
        """Return which images of a domain are read: a draw, as even steps could meet an order by class."""
        generator = torch.Generator().manual_seed(stream_seed(batches.seed, "sample", domain))
        order = torch.randperm(count, generator=generator) if count > self.config.samples else torch.arange(count)
        return order[: self.config.samples].to(batches.source_images.device)

    def _read(self, images: Tensor) -> Tensor:
        """Return the (N, F) points of (N, C, S, S) uint8 images as they are, not augmented, in fp64."""
        return torch.cat([self.points(to_float(piece)).double() for piece in torch.split(images, PIECE)])

    def _check_points(self, *domains: Tensor) -> None:
        """Raise the error of training where it broke down since the last evaluation: no solver is given such points."""
        if not all(bool(points.isfinite().all()) for points in domains):
            raise NotFiniteError(
                f"the {self.config.on} of which {self.name} finds its map at step {self.starts[-1]} were not finite "
                "after the source stage: the run stops, its last checkpoint stays; lower learning_rate, or take "
                "precision fp32"
            )

    def _finite(self, arrays: dict[str, Array]) -> dict[str, Array]:
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise NotFiniteError(
                f"{self.name} found a map that is not finite, as where the {self.config.on} of a domain hardly vary: "
                "raise samples, or regularise more"
            )
        return arrays


def linear_classifier(points: Array, labels: NDArray[np.int64], classes: int, penalty: float) -> tuple[Array, Array]:
    """Train a logistic regression.

    Parameters
    ----------
    points, labels
        (N, D) and (N,).
    classes
        How many there are, K; one of which there is no point is never predicted.
    penalty
        Weight of the L2 penalty, on points centred and scaled to a mean variance of 1.

    Returns
    -------
    weight, bias
        (K, D) and (K,): logits of points as they came are ``points @ weight.T + bias``.

    Raises
    ------
    UserError
        If all points are of one class.
    """
    from sklearn.linear_model import LogisticRegression

    present = np.unique(labels)
    if len(present) < 2:
        raise UserError(f"all {len(labels)} source images that were drawn are of one class: raise samples")
    centre = points.mean(0)
    scale = max(float(np.sqrt(np.square(points - centre).mean())), TINY)
    fitted = LogisticRegression(C=1 / penalty, max_iter=MOST_ITERATIONS).fit((points - centre) / scale, labels)
    rows, intercepts = fitted.coef_ / scale, fitted.intercept_
    if len(present) == 2:  # one row then, of the log-odds
        rows, intercepts = np.concatenate([-rows, rows]) / 2, np.concatenate([-intercepts, intercepts]) / 2
    weight, bias = np.zeros((classes, points.shape[1])), np.full(classes, NEVER)
    weight[present], bias[present] = rows, intercepts - rows @ centre
    return weight, bias


def library(name: str, package: str) -> Any:
    """Import a module of the extra ``shallow``.

    Raises
    ------
    UserError
        If its package is not installed.
    """
    import sklearn

    try:
        with sklearn.config_context():  # skada changes scikit-learn's settings for everyone: they are put back
            return importlib.import_module(name)
    except ImportError as error:
        raise UserError(
            f"shallow adaptation needs the package {package}: pip install -e '.[shallow]' in uda's folder"
        ) from error


def domain_marks(source: Array, target: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return (N, F) and (M, F) points as skada wants them: together, and marked with 1 for source, -2 for target."""
    return np.concatenate([source, target]), np.repeat([1, -2], [len(source), len(target)])

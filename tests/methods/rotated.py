"""A problem for shallow methods: three Gaussian classes in a plane of pixel space, turned and moved in the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from uda.data.augmentation import Augmentation
from uda.data.batches import Batches
from uda.methods import METHODS, TaskShape

SIDE = 8
COUNT = 300
TASK = TaskShape((1, SIDE, SIDE), (1, SIDE, SIDE), 3, 1)

Array = NDArray[np.float64]


def rotated(degrees: float = 40.0, shift: float = 2.0, count: int = COUNT) -> tuple[Batches, Tensor]:
    """Return the pair, and the labels of its target."""
    rng = np.random.default_rng(0)
    plane = np.linalg.qr(rng.normal(size=(SIDE * SIDE, 2)))[0].T
    centres = np.array([[0.0, 3.0], [-2.0, -1.0], [3.0, -1.0]])
    angle = np.deg2rad(degrees)
    turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    images, labels = [], []
    for turn, move in ((np.eye(2), 0.0), (turned, shift)):
        y = rng.integers(3, size=count)
        places = (centres[y] + 0.5 * rng.normal(size=(count, 2))) * [1.5, 1.0]
        noise = 0.05 * rng.normal(size=(count, SIDE * SIDE))
        pixels = np.clip(np.rint(128 + 40 * ((places @ turn + move) @ plane + noise)), 0, 255)
        images.append(torch.from_numpy(pixels.astype(np.uint8)).reshape(count, 1, SIDE, SIDE))
        labels.append(torch.from_numpy(y))
    return Batches(images[0], labels[0], images[1], 10, Augmentation(), 1), labels[1]


def fitted(name: str, batches: Batches, **settings: Any) -> Any:
    """Return a method that has found its map of the pixels."""
    config = METHODS[name].Config(**{"on": "pixels", "backbone": "dtn", **settings})
    method = METHODS[name](config, TASK).train()
    method.enter(0, batches)
    return method.eval()


def pixels(images: Tensor) -> Array:
    """Return (N, C, S, S) uint8 images as (N, F) points in [-1, 1]."""
    return np.asarray((images.numpy().astype(np.float32) / 127.5 - 1).reshape(len(images), -1), np.float64)


def regression_by_hand(source: Array, labels: Tensor, points: Array, penalty: float = 1.0) -> Array:
    """Train on mapped source points; return the logits of points."""
    centre, spread = source.mean(0), source.var(0).mean() ** 0.5
    model = LogisticRegression(C=1 / penalty, max_iter=5000).fit((source - centre) / spread, labels.numpy())
    return np.asarray(model.decision_function((points - centre) / spread))


def compare(method: Any, images: Tensor, *, source: bool, features: Array, logits: Array) -> None:
    """Compare outputs on uint8 images; the solver of the regression stops where it is good enough."""
    with torch.no_grad():
        ours = method.outputs(images.float() / 127.5 - 1, source=source)
    scale = np.abs(features).max()
    np.testing.assert_allclose(ours.features.numpy(), features, atol=1e-5 * scale)
    np.testing.assert_allclose(ours.logits.numpy(), logits, atol=2e-3 * np.abs(logits).max())

"""TCA: its components solve the eigenproblem, and no others that fit vary more."""

import importlib

import numpy as np
import pytest
import torch
from scipy.linalg import eig
from scipy.spatial.distance import cdist

from tests.methods.rotated import Array, compare, fitted, pixels, regression_by_hand, rotated
from uda.errors import UserError
from uda.methods.shallow import domain_marks, library
from uda.methods.tca import TcaConfig, transfer_components

MU = 0.5


def matrices(kernel: Array, n_s: int) -> tuple[Array, Array]:
    """Return K L K + mu I and K H K, written out."""
    n = len(kernel)
    n_t = n - n_s
    gaps = np.full((n, n), -1 / (n_s * n_t))
    gaps[:n_s, :n_s], gaps[n_s:, n_s:] = 1 / n_s**2, 1 / n_t**2
    centring = np.eye(n) - np.ones((n, n)) / n
    return kernel @ gaps @ kernel + MU * np.eye(n), kernel @ centring @ kernel


def gaussian(points: Array, anchors: Array) -> Array:
    every = cdist(anchors, anchors)[np.triu_indices(len(anchors), 1)] ** 2
    return np.asarray(np.exp(-(cdist(points, anchors) ** 2) / (2 * np.median(every))))


def test_the_fit_made_by_hand() -> None:
    batches, _ = rotated(count=60)
    method = fitted("tca", batches, components=4, mu=MU)
    source, target = pixels(batches.source_images), pixels(batches.target_images)
    anchors = np.concatenate([source, target])
    a, b = matrices(gaussian(anchors, anchors), 60)
    values, vectors = eig(np.linalg.solve(a, b))  # of a matrix that is not symmetric
    w = vectors.real[:, np.argsort(-values.real)[:4]]
    w = w / np.sqrt(np.einsum("id,ij,jd->d", w, a, w))
    w = w * np.sign((w * method.fitted["weights"].numpy()).sum(0))
    on_source, on_target = gaussian(source, anchors) @ w, gaussian(target, anchors) @ w
    for domain, images, mapped in ((True, batches.source_images, on_source), (False, batches.target_images, on_target)):
        logits = regression_by_hand(on_source, batches.source_labels, mapped)
        compare(method, images, source=domain, features=mapped, logits=logits)
    unseen = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    mapped = gaussian(pixels(unseen), anchors) @ w
    logits = regression_by_hand(on_source, batches.source_labels, mapped)
    for domain in (True, False):
        compare(method, unseen, source=domain, features=mapped, logits=logits)


def test_components_solve_the_eigenproblem_where_those_of_skada_do_not() -> None:
    batches, _ = rotated(count=40)
    source, target = pixels(batches.source_images), pixels(batches.target_images)
    points, marks = domain_marks(source, target)
    adapter = library("skada", "skada").TransferComponentAnalysisAdapter(n_components=4, mu=1 / MU)
    adapter.fit(points, sample_domain=marks)
    a, b = matrices(adapter.K_, 40)
    ours, theirs = transfer_components(adapter.K_, 40, 4, MU), adapter.eigvects_

    def residual(w: Array) -> float:
        """How far B w is from A w times a number, relative to B w."""
        values = np.einsum("id,ij,jd->d", w, b, w) / np.einsum("id,ij,jd->d", w, a, w)
        return float((np.linalg.norm(b @ w - a @ w * values, axis=0) / np.linalg.norm(b @ w, axis=0)).max())

    def objective(w: Array) -> float:
        """The trace of the variance that is kept, in units of what is minimised."""
        return float(np.trace(np.linalg.solve(w.T @ a @ w, w.T @ b @ w)))

    assert residual(ours) < 1e-8
    assert residual(theirs) > 1e-2
    assert objective(ours) > objective(theirs) * (1 + 1e-4)
    np.testing.assert_allclose(ours.T @ a @ ours, np.eye(4), atol=1e-8)


def test_components_are_ordered_and_no_more_than_centred_points_have() -> None:
    batches, _ = rotated(count=10)
    points = np.concatenate([pixels(batches.source_images), pixels(batches.target_images)])
    kernel = gaussian(points, points)
    w = transfer_components(kernel, 10, 50, MU)
    variance = np.diag(w.T @ matrices(kernel, 10)[1] @ w)
    assert w.shape == (20, 19)
    assert (np.diff(variance) <= 1e-12).all()


def test_it_needs_no_optional_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    batches, _ = rotated(count=10)
    fitted("tca", batches)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(UserError, match="components is 0"):
        TcaConfig(components=0)
    with pytest.raises(UserError, match="mu is 0"):
        TcaConfig(mu=0.0)

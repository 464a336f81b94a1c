"""CORAL: whitened and coloured by hand, with SciPy's powers of matrices."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.linalg import fractional_matrix_power, sqrtm
from sklearn.covariance import ledoit_wolf

from tests.methods.rotated import Array, compare, fitted, pixels, regression_by_hand, rotated
from uda.errors import UserError
from uda.methods.coral import CoralConfig


def shrunk(points: Array) -> Array:
    c = np.cov(points.T, bias=True)
    return np.asarray(0.7 * c + 0.3 * np.trace(c) / len(c) * np.eye(len(c)))


def estimated(points: Array) -> Array:
    """Ledoit and Wolf's estimate, in units of each pixel's deviation."""
    deviation = points.std(0)
    return np.asarray(np.outer(deviation, deviation) * ledoit_wolf((points - points.mean(0)) / deviation)[0])


@pytest.mark.parametrize(("reg", "covariance"), [(0.3, shrunk), (None, estimated)])
def test_the_fit_made_by_hand(reg: float | None, covariance: Callable[[Array], Array]) -> None:
    batches, _ = rotated()
    method = fitted("coral", batches, reg=reg)
    source, target = pixels(batches.source_images), pixels(batches.target_images)
    whiten, colour = fractional_matrix_power(covariance(source), -0.5), sqrtm(covariance(target))
    on_source = (source - source.mean(0)) @ whiten.real @ colour.real
    on_target = target - target.mean(0)
    for domain, images, mapped in ((True, batches.source_images, on_source), (False, batches.target_images, on_target)):
        logits = regression_by_hand(on_source, batches.source_labels, mapped)
        compare(method, images, source=domain, features=mapped, logits=logits)


def test_without_regularisation_the_source_gets_the_covariance_of_the_target() -> None:
    batches, _ = rotated()
    method = fitted("coral", batches, reg=0.0)
    source, target = pixels(batches.source_images), pixels(batches.target_images)
    mapped = (source - source.mean(0)) @ method.fitted["source_map"].numpy()
    np.testing.assert_allclose(np.cov(mapped.T), np.cov(target.T), atol=1e-3 * np.cov(target.T).max())


def test_a_covariance_without_inverse_is_refused() -> None:
    batches, _ = rotated(count=12)
    with pytest.raises(UserError, match="not finite"):
        fitted("coral", batches, reg=0.0)


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match=r"reg is 1\.5"):
        CoralConfig(reg=1.5)

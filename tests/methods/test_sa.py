"""SA: axes of a singular value decomposition, aligned by hand."""

import numpy as np
import pytest

from tests.methods.rotated import Array, compare, fitted, pixels, regression_by_hand, rotated
from uda.errors import UserError
from uda.methods.sa import SaConfig


def axes(points: Array, d: int) -> Array:
    _, _, v = np.linalg.svd(points - points.mean(0), full_matrices=False)
    return np.asarray(v[:d].T)


@pytest.mark.parametrize("d", [2, 5])
def test_the_fit_made_by_hand(d: int) -> None:
    batches, _ = rotated()
    method = fitted("sa", batches, components=d, penalty=0.5)
    source, target = pixels(batches.source_images), pixels(batches.target_images)
    x_s, x_t = axes(source, d), axes(target, d)
    # the sign of an axis is nobody's choice: those of the target are taken as they were found
    x_t = x_t * np.sign((x_t * method.fitted["target_map"].numpy()).sum(0))
    on_source = (source - source.mean(0)) @ x_s @ x_s.T @ x_t
    on_target = (target - target.mean(0)) @ x_t
    for domain, images, mapped in ((True, batches.source_images, on_source), (False, batches.target_images, on_target)):
        logits = regression_by_hand(on_source, batches.source_labels, mapped, 0.5)
        compare(method, images, source=domain, features=mapped, logits=logits)


def test_the_map_is_the_best_one_between_the_subspaces() -> None:
    """The paper's objective |X_S M - X_T| has its gradient X_S' (X_S M - X_T) at 0."""
    batches, _ = rotated()
    method = fitted("sa", batches, components=3)
    x_s, x_t = axes(pixels(batches.source_images), 3), method.fitted["target_map"].numpy()
    np.testing.assert_allclose(x_s.T @ (method.fitted["source_map"].numpy() - x_t), 0, atol=1e-6)


def test_there_are_no_more_components_than_the_smaller_domain_has_images() -> None:
    batches, _ = rotated(count=12)
    assert fitted("sa", batches).fitted["target_map"].shape == (64, 12)


def test_a_subspace_of_no_dimension_is_refused() -> None:
    with pytest.raises(UserError, match="components is 0"):
        SaConfig(components=0)

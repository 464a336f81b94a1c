"""What is left out of a sweep for want of target labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import write_recipe
from uda.sweeps.recipe import Recipe, load_recipe
from uda.sweeps.runner import Workplace
from uda.sweeps.unlabelled import lacks_labels, without_target_labels


@pytest.fixture
def recipe(tmp_path: Path, pair: tuple[str, str]) -> Recipe:
    return load_recipe(write_recipe(tmp_path / "bars.toml", pair, '[[runs]]\nmethod = "source-only"\n'))


def test_only_a_users_own_images_are_looked_at_for_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uda.sweeps.unlabelled.load_split", lambda *_: pytest.fail("a split was read"))
    assert not lacks_labels("mnist", "train", tmp_path)


def test_only_for_what_learns_from_target_labels(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uda.sweeps.unlabelled.load_split", lambda *_: pytest.fail("a split was read"))
    assert without_target_labels(recipe.configs, Workplace(tmp_path, tmp_path)) == (list(recipe.configs), "")


def test_a_domain_that_cannot_be_read_is_not_said_to_lack_labels(tmp_path: Path) -> None:
    assert not lacks_labels(f"folder:{tmp_path / 'nowhere'}", "train", tmp_path)

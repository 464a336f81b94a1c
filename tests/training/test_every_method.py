"""What the contract asks of every registered method: trained, stopped, resumed, predicted with, and blind to labels."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.test_run import config_of, identical, train_in_pieces, weights
from uda.errors import UserError
from uda.methods import METHODS
from uda.training.checkpoint import load_model
from uda.training.run import train

PRECISIONS = ("fp32", "bf16")


@pytest.fixture(autouse=True)
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def permute_target_labels(npz: Path) -> None:
    arrays = dict(np.load(npz))
    arrays["train_labels"] = np.roll(arrays["train_labels"], 1)
    np.savez(npz, **arrays)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_run_stopped_after_each_evaluation_equals_a_whole_one(
    method: str, precision: str, pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(method, pair, precision=precision)
    whole = train(config, tmp_path, tmp_path / "whole", quiet=True)
    pieces = train_in_pieces(config, tmp_path, monkeypatch)
    assert identical(weights(whole), weights(pieces))
    assert all(bool(tensor.isfinite().all()) for tensor in weights(whole).values())


@pytest.mark.parametrize("method", ["dann", "fixmatch", "shot", "unit"])
def test_a_target_without_training_labels_gives_the_same_bits(
    method: str, pair: tuple[str, str], tmp_path: Path
) -> None:
    config = config_of(method, pair)
    before = weights(train(config, tmp_path, tmp_path / "before", quiet=True))
    path = Path(pair[1].removeprefix("npz:"))
    with np.load(path) as file:
        arrays = {name: file[name] for name in file if name != "train_labels"}
    np.savez(path, **arrays)
    after = train(config, tmp_path, tmp_path / "after", quiet=True)
    assert identical(before, weights(after))
    with pytest.raises(UserError, match=r"grey\.npz train has no labels, which the supervised ceiling"):
        train(config_of("target-only", pair), tmp_path, tmp_path, quiet=True)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("method", sorted(METHODS))
def test_permuted_target_labels_change_no_bit_but_for_the_ceiling(
    method: str, precision: str, pair: tuple[str, str], tmp_path: Path
) -> None:
    config = config_of(method, pair, precision=precision)
    before = weights(train(config, tmp_path, tmp_path / "before", quiet=True))
    permute_target_labels(Path(pair[1].removeprefix("npz:")))
    after = weights(train(config, tmp_path, tmp_path / "after", quiet=True))
    assert identical(before, after) == (not METHODS[method].sees_target_labels)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_trained_model_gives_features_and_logits_of_both_domains(
    method: str, pair: tuple[str, str], tmp_path: Path
) -> None:
    model, _ = load_model(train(config_of(method, pair), tmp_path, tmp_path, quiet=True) / "checkpoint.pt")
    images = torch.rand(5, *model.task.target_shape) * 2 - 1
    with torch.no_grad():
        for source in (False, True):
            features, logits = model.outputs(images, source=source)
            assert features.shape[0] == 5
            assert logits.shape == (5, 3)
            assert bool(logits.isfinite().all())
        assert torch.equal(model.predict(images), model.outputs(images).logits)

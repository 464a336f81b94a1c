"""A target without any label: the run is the very same, and knows no accuracy."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.training.test_run import config_of, identical, log_of, train_in_pieces, weights
from uda.evaluation.history import read_history
from uda.evaluation.runs import read_result
from uda.training.run import train

METHODS = ["dann", "mcd", "source-only", "unit"]
OF_LABELS = ["accuracy_last", "accuracy_validator", "accuracy_oracle", "oracle_step"]


def forget_labels(npz: Path) -> None:
    """Leave the images of a file alone."""
    with np.load(npz) as file:
        images = {name: file[name] for name in file if name.endswith("_images")}
    np.savez(npz, **images)


@pytest.mark.parametrize("method", METHODS)
def test_a_target_without_labels_gives_the_same_bits_and_no_accuracy(
    method: str, pair: tuple[str, str], tmp_path: Path
) -> None:
    config = config_of(method, pair)
    known = train(config, tmp_path, tmp_path / "known", quiet=True)
    forget_labels(Path(pair[1].removeprefix("npz:")))
    unknown = train(config, tmp_path, tmp_path / "unknown", quiet=True)
    assert identical(weights(known), weights(unknown))
    for then, now in zip(log_of(known), log_of(unknown), strict=True):
        assert then["target_test_accuracy"] is not None
        assert now["target_test_accuracy"] is None
        assert {name: now[name] for name in ("step", "terms", "validators", "predicted")} == {
            name: then[name] for name in ("step", "terms", "validators", "predicted")
        }
    with np.load(known / "predictions.npz") as one, np.load(unknown / "predictions.npz") as two:
        assert set(two["labels"]) == {-1}
        assert all(np.array_equal(one[name], two[name]) for name in ("last", "pick"))
    values = json.loads((unknown / "result.json").read_text())
    assert [values[name] for name in OF_LABELS] == [None] * 4
    result, with_labels = read_result(unknown), read_result(known)
    assert (result.scored, with_labels.scored) == (False, True)
    assert (result.validator_step, result.n_test) == (with_labels.validator_step, with_labels.n_test)
    assert all(np.isnan(checkpoint.accuracy) for checkpoint in read_history(unknown))


def test_it_goes_on_where_it_was_stopped(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_labels(Path(pair[1].removeprefix("npz:")))
    config = config_of("unit", pair)
    whole = train(config, tmp_path, tmp_path / "whole", quiet=True)
    pieces = train_in_pieces(config, tmp_path, monkeypatch)
    assert identical(weights(whole), weights(pieces))
    assert not read_result(pieces).scored

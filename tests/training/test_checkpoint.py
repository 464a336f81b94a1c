"""A checkpoint of another version is refused in one sentence, wherever it is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import Uda, refused
from tests.training.test_run import config_of
from uda.errors import UserError
from uda.evaluation.stored import read_stored_run
from uda.training.checkpoint import load_model
from uda.training.run import train

Change = Callable[[dict[str, Any]], Any]


def changed(folder: Path, change: Change) -> Path:
    """Change what a run's checkpoint holds; return its path."""
    path = folder / "checkpoint.pt"
    values = torch.load(path, weights_only=True)
    change(values)
    torch.save(values, path)
    return path


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda values: values["config"]["settings"].update(bias=True), "unexpected keyword argument 'bias'"),
        (lambda values: values["config"].pop("steps"), "missing 1 required positional argument: 'steps'"),
        (lambda values: values["config"].update(speed=3), "unknown run setting 'speed': did you mean 'seed'"),
        (lambda values: values["config"].update(method="source"), "unknown method 'source': did you mean"),
        (lambda values: values.pop("class_names"), "it has no class_names"),
        (lambda values: values.pop("version"), "it has no version"),
    ],
)
def test_what_this_version_does_not_know_is_named(
    uda: Uda, change: Change, why: str, pair: tuple[str, str], tmp_path: Path
) -> None:
    folder = train(config_of("source-only", pair), tmp_path, tmp_path / "runs", quiet=True)
    path = changed(folder, change)
    sentence = refused(uda("eval", "--checkpoint", path))
    assert sentence.startswith(f"{path}: written by another version of uda (")
    assert why in sentence
    assert sentence.endswith("); train again with this one")
    with pytest.raises(UserError, match=r"checkpoint.pt: written by another version of uda"):
        read_stored_run(folder)


@pytest.mark.parametrize("of", ["model", "optimisers"])
def test_tensors_of_other_networks_are_neither_loaded_nor_gone_on_with(
    of: str, pair: tuple[str, str], tmp_path: Path
) -> None:
    config = config_of("source-only", pair)
    folder = train(config, tmp_path, tmp_path, quiet=True)
    (folder / "result.json").unlink()
    path = changed(folder, lambda values: values[of].clear())
    with pytest.raises(UserError, match=r"checkpoint.pt: its weights do not fit the networks of this uda; train again"):
        train(config, tmp_path, tmp_path, quiet=True)
    if of == "model":
        with pytest.raises(UserError, match="its weights do not fit"):
            load_model(path)

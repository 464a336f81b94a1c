"""Recipes of pairs whose data is not at hand run from end to end on a few images in the files of the releases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.data.conftest import digits, pixels, write_idx, write_mat
from tests.sweeps.test_recipe import BENCHMARKS
from uda.evaluation.runs import read_result
from uda.sweeps.recipe import load_recipe
from uda.training.run import train

#: What is the same in kind and small enough for a test.
SMALL = {"width": 4, "generator_width": 4, "discriminator_width": 4, "latent": 8}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root with a few images of SVHN, its extra split, SynDigits and MNIST."""
    rng = np.random.default_rng(7)
    for stem in ("train", "t10k"):
        write_idx(tmp_path / "MNIST" / "raw" / f"{stem}-images-idx3-ubyte", pixels(rng, 20, 28, 28))
        write_idx(tmp_path / "MNIST" / "raw" / f"{stem}-labels-idx1-ubyte", digits(rng, 20))
    for folder, name, zero in (("SVHN", "", 10), ("SynDigits", "synth_", 0)):
        for split in ("train", "extra", "test"):
            path = tmp_path / folder / f"{name}{split}_32x32.mat"
            write_mat(path, pixels(rng, 20, 32, 32, 3), digits(rng, 20), zero)
    return tmp_path


@pytest.mark.parametrize("name", ["svhn-extra-mnist", "syndigits-svhn", "mnist-svhn"])
def test_unit_and_its_floor_run_on_a_slice(name: str, root: Path) -> None:
    recipe = load_recipe(BENCHMARKS / f"{name}.toml")
    entries = [c for c in recipe.configs if c.seed == 1 and c.method in ("source-only", "unit")]
    assert len(entries) >= 2
    for config in entries:
        settings = config.settings | {key: value for key, value in SMALL.items() if key in config.settings}
        small = replace(config, steps=2, batch_size=4, evaluate_every=1, precision="fp32", settings=settings)
        result = read_result(train(small, root, root / "runs", quiet=True))
        assert (result.protocol, result.steps, result.n_test) == (recipe.protocol, 2, 20)

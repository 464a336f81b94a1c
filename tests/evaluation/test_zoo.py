"""The checkpoints in results/zoo: each loads, and says of real images what the run that it is from said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from uda.data.domains import find_domain
from uda.data.inventory import presence
from uda.evaluation.classify import classify
from uda.evaluation.evaluate import evaluate
from uda.evaluation.images import Choice
from uda.evaluation.runs import read_csv
from uda.training.checkpoint import load_model

RESULTS = Path(__file__).parents[2] / "results"
ZOO = sorted((RESULTS / "zoo").glob("*.pt"))


@pytest.mark.parametrize("path", ZOO, ids=lambda path: path.stem)
def test_it_is_a_run_in_the_results(path: Path) -> None:
    method, loaded = load_model(path)
    (row,) = [row for row in read_csv(RESULTS / "runs.csv") if row.config_hash == loaded.config.hash]
    assert (loaded.step, method.name) == (row.steps, "unit")
    assert path.stem == f"{loaded.config.source}-{loaded.config.target}"
    assert path.stat().st_size < 6 * 2**20


def test_it_classifies_as_its_run_did() -> None:
    """MNIST to USPS, whose test split is the smallest; the weights are rounded to half precision."""
    root = Path(os.environ.get("UDA_DATA", "nowhere"))
    missing = presence(find_domain("usps-esl"), "test", root).missing
    if missing is not None:
        pytest.skip(f"{missing} is not there")
    path = RESULTS / "zoo" / "mnist-usps-esl.pt"
    evaluation = evaluate(classify(path, "last", root, Choice(None, "test", None)))
    (row,) = [row for row in read_csv(RESULTS / "runs.csv") if row.config_hash == load_model(path)[1].config.hash]
    assert evaluation.accuracy == pytest.approx(row.accuracy_last, abs=0.15)

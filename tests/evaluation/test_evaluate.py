import json
import shutil
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from sklearn.metrics import log_loss

from tests.evaluation.examples import CLASSES, tiny_run
from uda.errors import UserError
from uda.evaluation.classify import classify
from uda.evaluation.describe import describe_evaluation
from uda.evaluation.evaluate import evaluate
from uda.metrics.intervals import wilson_interval


@pytest.mark.parametrize(("weights", "key"), [("last", "accuracy_last"), ("pick", "accuracy_validator")])
@pytest.mark.parametrize("run", ["unit_run", "source_only_run"])
def test_a_checkpoint_alone_gives_its_runs_numbers(
    run: str, weights: Literal["last", "pick"], key: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder: Path = request.getfixturevalue(run)
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    alone = shutil.copy(folder / "checkpoint.pt", tmp_path / "somewhere.pt")
    evaluation = evaluate(classify(Path(alone), weights, tmp_path))
    assert evaluation.accuracy == result[key]
    assert evaluation.step == {"last": result["steps"], "pick": result["validator_step"]}[weights]
    assert evaluation.n_test == result["n_test"] == 30


def test_classes_and_confusion_belong_together(unit_run: Path, tmp_path: Path) -> None:
    evaluation = evaluate(classify(unit_run / "checkpoint.pt", "last", tmp_path))
    confusion = np.array(evaluation.confusion)
    assert [entry.name for entry in evaluation.classes] == list(CLASSES)
    assert confusion.sum(axis=1).tolist() == [entry.n for entry in evaluation.classes] == [10, 10, 10]
    assert [entry.accuracy for entry in evaluation.classes] == pytest.approx((10.0 * confusion.diagonal()).tolist())
    assert evaluation.accuracy == pytest.approx(100 * confusion.trace() / 30)
    for entry, right in zip(evaluation.classes, confusion.diagonal().tolist(), strict=True):
        assert entry.interval == pytest.approx(wilson_interval(10.0 * right, 10))
    assert evaluation.interval == pytest.approx(wilson_interval(evaluation.accuracy, 30))
    assert json.loads(json.dumps(evaluation.to_dict()))["confusion"] == confusion.tolist()


def test_calibration_is_that_of_the_logits(unit_run: Path, tmp_path: Path) -> None:
    classified = classify(unit_run / "checkpoint.pt", "last", tmp_path)
    found = evaluate(classified).calibration
    probabilities = classified.probabilities.numpy()
    assert found.nll == pytest.approx(log_loss(classified.labels, probabilities))
    assert found.brier == pytest.approx(((probabilities - np.eye(3)[classified.labels]) ** 2).sum(axis=1).mean())
    assert len(found.bins) == 15
    assert sum(entry.n for entry in found.bins) == 30
    filled = [(entry.n, entry.confidence, entry.accuracy) for entry in found.bins if entry.n]
    gaps = [n * abs((accuracy or 0) - (confidence or 0)) / 30 for n, confidence, accuracy in filled]
    assert found.ece == pytest.approx(sum(gaps))
    assert all((entry.confidence is None) == (entry.accuracy is None) == (entry.n == 0) for entry in found.bins)


def test_a_class_without_images_has_no_accuracy(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "source-only")
    with np.load(tmp_path / "colour.npz") as file:
        arrays = dict(file)
    kept = arrays["test_labels"] != 1
    arrays |= {name: arrays[name][kept] for name in ("test_images", "test_labels")}
    np.savez(tmp_path / "colour.npz", **arrays)
    evaluation = evaluate(classify(run / "checkpoint.pt", "last", tmp_path))
    absent = evaluation.classes[1]
    assert (absent.n, absent.accuracy, absent.interval) == (0, None, None)
    assert any(line.split() == ["cross", "0", "–"] for line in describe_evaluation(evaluation).splitlines())


def test_text_says_what_was_evaluated(unit_run: Path, tmp_path: Path) -> None:
    evaluation = evaluate(classify(unit_run / "checkpoint.pt", "last", tmp_path))
    text = describe_evaluation(evaluation)
    assert text.startswith(
        "UNIT (default), grey.npz → colour.npz, protocol standard, seed 1\nweights: last step, step 4\n"
    )
    assert f"accuracy on target test: {evaluation.accuracy:.2f} % of 30 images" in text
    rows = [line.split() for line in text.splitlines()[-len(CLASSES) :]]
    assert rows == [[name, *map(str, row)] for name, row in zip(CLASSES, evaluation.confusion, strict=True)]


def test_other_classes_than_the_checkpoints_are_an_error(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "source-only")
    for path in tmp_path.glob("*.npz"):
        with np.load(path) as file:
            arrays = {**file, "class_names": np.array(["circle", "cross", "star"])}
        np.savez(path, **arrays)
    with pytest.raises(UserError, match=r"on the classes circle, cross, square, but .* has circle, cross, star"):
        classify(run / "checkpoint.pt", "last", tmp_path)


def test_what_is_no_checkpoint_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"nothing")
    for name in ("checkpoint.pt", "nowhere.pt"):
        with pytest.raises(UserError, match=name):
            classify(tmp_path / name, "last", tmp_path)

import json
import shutil
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from tests.evaluation.examples import CLASSES, tiny_run
from uda.errors import UserError
from uda.evaluation.evaluate import evaluate, format_evaluation


@pytest.mark.parametrize(("weights", "key"), [("last", "accuracy_last"), ("pick", "accuracy_validator")])
@pytest.mark.parametrize("run", ["unit_run", "source_only_run"])
def test_a_checkpoint_alone_gives_its_runs_numbers(
    run: str, weights: Literal["last", "pick"], key: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder: Path = request.getfixturevalue(run)
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    alone = shutil.copy(folder / "checkpoint.pt", tmp_path / "somewhere.pt")
    evaluation = evaluate(Path(alone), weights, tmp_path)
    assert evaluation.accuracy == result[key]
    assert evaluation.step == {"last": result["steps"], "pick": result["validator_step"]}[weights]
    assert evaluation.n_test == result["n_test"] == 30


def test_classes_and_confusion_belong_together(unit_run: Path, tmp_path: Path) -> None:
    evaluation = evaluate(unit_run / "checkpoint.pt", "last", tmp_path)
    confusion = np.array(evaluation.confusion)
    assert [entry.name for entry in evaluation.classes] == list(CLASSES)
    assert confusion.sum(axis=1).tolist() == [entry.n for entry in evaluation.classes] == [10, 10, 10]
    assert [entry.accuracy for entry in evaluation.classes] == pytest.approx((10.0 * confusion.diagonal()).tolist())
    assert evaluation.accuracy == pytest.approx(100 * confusion.trace() / 30)
    assert json.loads(json.dumps(evaluation.to_dict()))["confusion"] == confusion.tolist()


def test_text_says_what_was_evaluated(unit_run: Path, tmp_path: Path) -> None:
    evaluation = evaluate(unit_run / "checkpoint.pt", "last", tmp_path)
    text = format_evaluation(evaluation)
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
        evaluate(run / "checkpoint.pt", "last", tmp_path)


def test_what_is_no_checkpoint_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"nothing")
    for name in ("checkpoint.pt", "nowhere.pt"):
        with pytest.raises(UserError, match=name):
            evaluate(tmp_path / name, "last", tmp_path)

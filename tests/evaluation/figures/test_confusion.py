from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.text import Text
from sklearn.metrics import confusion_matrix

from tests.evaluation.examples import CLASSES, result, write_run
from tests.evaluation.logged import predict, series_of, three_methods
from uda.errors import UserError
from uda.evaluation.figures.confusion import (
    Confusion,
    checkpoint_confusions,
    confusion_matrices,
    confusions,
    count,
    shares,
)
from uda.evaluation.figures.style import Width


def test_counts_and_shares_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    labels, predicted = rng.integers(0, 4, 200), rng.integers(0, 5, 200)
    assert np.array_equal(count(labels, predicted, 5), confusion_matrix(labels, predicted, labels=range(5)))
    found = shares(count(labels, predicted, 5))
    expected = 100 * confusion_matrix(labels, predicted, labels=range(5), normalize="true")
    assert found[:4] == pytest.approx(expected[:4])
    assert np.isnan(found[4]).all()  # no image of that class


def test_seeds_are_summed_and_methods_are_panels(tmp_path: Path) -> None:
    found, names = confusions(series_of(three_methods(tmp_path, [("mnist", "usps")])), "last")
    assert [(one.title, one.runs, int(one.counts.sum())) for one in found] == [
        ("Source only", 2, 60),
        ("DANN", 2, 60),
        ("UNIT", 2, 60),
    ]
    assert names == ("0", "1", "2")
    assert np.trace(found[0].counts) == 22 + 23  # 73 and 76 percent of 30
    picked, _ = confusions(series_of(tmp_path), "pick")
    assert np.trace(picked[0].counts) == 60


def test_cells_are_percentages_of_the_true_class() -> None:
    counts = np.array([[300, 1, 99], [0, 10, 0], [0, 0, 0]])
    figure = confusion_matrices([Confusion("UNIT", counts)], ["a", "b", "c"]).figure
    (axis,) = figure.axes
    assert {(text.get_position(), text.get_text()) for text in axis.texts} == {
        ((0.5, 0.5), "75"),
        ((1.5, 0.5), "<1"),
        ((2.5, 0.5), "25"),
        ((1.5, 1.5), "100"),
    }
    assert axis.get_ylim() == (3.0, 0.0)  # the first class on top
    mesh = np.asarray(axis.collections[0].get_array()).reshape(3, 3)
    assert mesh[0].tolist() == [75.0, 0.25, 24.75]


def test_many_classes_have_no_numbers() -> None:
    figure = confusion_matrices([Confusion("", np.eye(50, dtype=int))], [str(n) for n in range(50)]).figure
    assert not figure.axes[0].texts
    assert figure.axes[0].get_xticks().size == 50


def boxes(labels: Sequence[Text]) -> list[tuple[float, float]]:
    """Return from where to where names along the left edge reach upwards, the lowest first."""
    found = [label.get_window_extent() for label in labels]
    return sorted((box.y0, box.y1) for box in found)


@pytest.mark.parametrize(("classes", "width"), [(12, "column"), (22, "column"), (22, "page"), (40, "page"), (80, None)])
def test_no_name_of_a_class_lies_on_another(classes: int, width: Width | None) -> None:
    names = [f"class number {n}" for n in range(classes)]
    found = [Confusion(title, np.eye(classes, dtype=int)) for title in ("DANN", "UNIT")]
    figure = confusion_matrices(found, names, width).figure
    figure.draw_without_rendering()
    for axis in figure.axes:
        labels = axis.get_yticklabels()
        assert len({label.get_text() for label in labels}) == classes
        reached = boxes(labels)
        # the boxes are of the font's height, which no letter fills
        assert all(lower[1] - above[0] < 0.35 * (lower[1] - lower[0]) for lower, above in pairwise(reached))


def test_more_classes_than_can_be_named_are_said_to_be_in_order() -> None:
    drawing = confusion_matrices([Confusion("", np.eye(120, dtype=int))], [str(n) for n in range(120)])
    assert not drawing.figure.axes[0].get_xticks().size
    assert drawing.caption.endswith("The 120 classes are in their order.")


@pytest.mark.parametrize(("classes", "count"), [(10, 1), (10, 2), (4, 3), (30, 1)])
def test_no_title_is_cut_off(classes: int, count: int) -> None:
    title = "UNIT (unit-2017-usps-alike), 12,000 steps, settings 0fa39c, w/photos.npz → x/sketches.npz, bf16, long"
    names = [f"class number {n}" for n in range(classes)]
    figure = confusion_matrices([Confusion(title, np.eye(classes, dtype=int))] * count, names).figure
    figure.draw_without_rendering()
    for axis in figure.axes:
        box = axis.title.get_window_extent()
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1


def save_names(folder: Path, class_names: list[str]) -> None:
    """Write a checkpoint of which nothing is to be read but the names of the classes."""
    others = ("config", "shapes", "step", "seconds", "model", "optimisers", "pick")
    known = {**dict.fromkeys(others), "format": "uda-checkpoint", "version": 1}
    torch.save({**known, "class_names": class_names}, folder / "checkpoint.pt")


def test_names_of_classes_are_from_a_checkpoint_that_can_be_read(tmp_path: Path) -> None:
    series = series_of(three_methods(tmp_path, [("mnist", "usps")]))
    folders = [folder for each in series for folder in each.known_folders]
    save_names(folders[1], ["zero", "one", "two"])
    (folders[0] / "checkpoint.pt").write_bytes(b"cut off")
    assert confusions(series, "last")[1] == ("zero", "one", "two")


def test_a_checkpoint_gives_what_its_run_predicted(source_only_run: Path, tmp_path: Path) -> None:
    from_run, names = confusions(series_of(source_only_run), "last")
    from_checkpoint, same = checkpoint_confusions([source_only_run / "checkpoint.pt"], "last", tmp_path)
    assert names == same == CLASSES
    assert np.array_equal(from_run[0].counts, from_checkpoint[0].counts)


def test_runs_without_predictions_and_of_other_classes_are_errors(tmp_path: Path) -> None:
    write_run(tmp_path / "1", result())
    with pytest.raises(UserError, match=r"no run here has a predictions\.npz"):
        confusions(series_of(tmp_path), "last")
    predict(tmp_path / "1", [0, 1], [0, 1], [0, 1])
    predict(write_run(tmp_path / "2", result(method="dann")), [0, 1], [0, 2], [0, 1])
    assert confusions(series_of(tmp_path), "last")[1] == ("0", "1", "2")  # of both, where no checkpoint names them
    save_names(tmp_path / "1", ["a", "b"])
    with pytest.raises(UserError, match="1: knows 2 classes, but there are predictions of more"):
        confusions(series_of(tmp_path), "last")
    save_names(tmp_path / "2", ["a", "b", "c"])
    with pytest.raises(UserError, match="have different classes"):
        confusions(series_of(tmp_path), "last")

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
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
from uda.evaluation.figures.style import Drawing, Width


def test_counts_and_shares_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    labels, predicted = rng.integers(0, 4, 200), rng.integers(0, 5, 200)
    assert np.array_equal(count(labels, predicted, 5), confusion_matrix(labels, predicted, labels=range(5)))
    found = shares(count(labels, predicted, 5))
    expected = 100 * confusion_matrix(labels, predicted, labels=range(5), normalize="true")
    assert found[:4] == pytest.approx(expected[:4])
    assert np.isnan(found[4]).all()  # no image of that class


def test_seeds_are_summed_and_methods_are_panels(tmp_path: Path) -> None:
    found, names, _ = confusions(series_of(three_methods(tmp_path, [("mnist", "usps")])), "last")
    assert [(one.title, one.runs, int(one.counts.sum())) for one in found] == [
        ("Source only", 2, 60),
        ("DANN", 2, 60),
        ("UNIT", 2, 60),
    ]
    assert names == ("0", "1", "2")
    assert np.trace(found[0].counts) == 22 + 23  # 73 and 76 percent of 30
    picked, _, _ = confusions(series_of(tmp_path), "pick")
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


def many(classes: int, panels: int = 1, width: Width | None = None) -> Drawing:
    found = [Confusion(f"{n}", np.eye(classes, dtype=int)) for n in range(panels)]
    return confusion_matrices(found, [f"class-no-{n}" for n in range(classes)], width)


@pytest.mark.parametrize("classes", [13, 20, 21, 40, 65, 100, 345])
@pytest.mark.parametrize(("panels", "width"), [(1, None), (1, "column"), (3, None)])
def test_names_of_many_classes_do_not_touch(classes: int, panels: int, width: Width | None) -> None:
    figure = many(classes, panels, width).figure
    figure.draw_without_rendering()
    for axis in figure.axes[:panels]:
        for labels in (axis.get_xticklabels(), axis.get_yticklabels()):
            assert len(labels) > 3
            assert min(float(label.get_fontsize()) for label in labels) > 4.5
            boxes = [label.get_window_extent() for label in labels]
            assert not any(one.overlaps(other) for one, other in itertools.pairwise(boxes))
        assert axis.get_window_extent().height > 0.3 * figure.bbox.height


def test_many_classes_have_shades_with_a_scale_and_no_numbers() -> None:
    assert len(many(12).figure.axes) == 1
    matrix, scale = many(13).figure.axes
    assert not matrix.texts
    assert scale.get_ylabel() == "% of the true class"


def test_where_not_all_classes_are_named_the_caption_says_which() -> None:
    drawing = many(40)
    assert drawing.figure.get_size_inches().tolist() == [7.0, 6.6]
    assert [tick.get_text() for tick in drawing.figure.axes[0].get_yticklabels()][-1] == "class-no-39"
    assert "named" not in drawing.caption
    drawing = many(40, width="column")
    assert [tick.get_text() for tick in drawing.figure.axes[0].get_yticklabels()][-1] == "class-no-38"
    assert drawing.caption.endswith("only one class in 2 is named, from the first on.")


@pytest.mark.parametrize("classes", [3, 10])
@pytest.mark.parametrize("panels", [1, 3])
def test_titles_stay_within_the_figure(classes: int, panels: int) -> None:
    found = [Confusion(f"CyCADA ({n}), SynDigits → MNIST-M (standard-{n})", np.eye(classes, dtype=int)) for n in "abc"]
    figure = confusion_matrices(found[:panels], [f"a class named {n}" for n in range(classes)]).figure
    figure.draw_without_rendering()
    titles = [axis.title.get_window_extent() for axis in figure.axes]
    assert all(figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1 for box in titles)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(titles, 2))


def test_a_checkpoint_gives_what_its_run_predicted(source_only_run: Path, tmp_path: Path) -> None:
    from_run, names, _ = confusions(series_of(source_only_run), "last")
    from_checkpoint, same = checkpoint_confusions([source_only_run / "checkpoint.pt"], "last", tmp_path)
    assert names == same == CLASSES
    assert np.array_equal(from_run[0].counts, from_checkpoint[0].counts)


@pytest.mark.parametrize(("classes", "panels"), [(10, 1), (10, 2), (4, 3), (30, 1)])
def test_no_title_is_cut_off(classes: int, panels: int) -> None:
    title = "UNIT (unit-2017-usps-alike), 12,000 steps, settings 0fa39c, w/photos.npz → x/sketches.npz, bf16, long"
    names = [f"class number {n}" for n in range(classes)]
    figure = confusion_matrices([Confusion(title, np.eye(classes, dtype=int))] * panels, names).figure
    figure.draw_without_rendering()
    for axis in figure.axes:
        box = axis.title.get_window_extent()
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1


def name_classes(folder: Path, *names: str) -> None:
    """Write a checkpoint that holds nothing but the names of its classes."""
    others = ("config", "shapes", "step", "seconds", "model", "optimisers", "pick")
    fixed = {**dict.fromkeys(others), "format": "uda-checkpoint", "version": 1}
    torch.save({**fixed, "class_names": list(names)}, folder / "checkpoint.pt")


def test_predictions_are_drawn_without_a_damaged_checkpoint_which_is_named(tmp_path: Path) -> None:
    folders = sorted(three_methods(tmp_path, [("mnist", "usps")]).iterdir())
    for folder in folders:
        name_classes(folder, "a", "b", "c")
    whole, names, unread = confusions(series_of(tmp_path), "last")
    assert (names, unread) == (("a", "b", "c"), ())
    (folders[0] / "checkpoint.pt").write_bytes(b"cut")
    found, names, unread = confusions(series_of(tmp_path), "last")
    assert [one.counts.tolist() for one in found] == [one.counts.tolist() for one in whole]
    assert names == ("a", "b", "c")
    assert len(unread) == 1
    assert unread[0].startswith(f"the class names in {folders[0] / 'checkpoint.pt'}: truncated")
    for folder in folders:
        (folder / "checkpoint.pt").write_bytes(b"cut")
    _, names, unread = confusions(series_of(tmp_path), "last")
    assert (names, len(unread)) == (("0", "1", "2"), len(folders))


def test_runs_without_predictions_and_of_other_classes_are_errors(tmp_path: Path) -> None:
    write_run(tmp_path / "1", result())
    with pytest.raises(UserError, match=r"no run here has a predictions\.npz"):
        confusions(series_of(tmp_path), "last")
    predict(tmp_path / "1", [0, 1], [0, 1], [0, 1])
    predict(write_run(tmp_path / "2", result(method="dann")), [0, 1], [0, 2], [0, 1])
    assert confusions(series_of(tmp_path), "last")[1] == ("0", "1", "2")  # of both, where no checkpoint names them
    name_classes(tmp_path / "1", "a", "b")
    with pytest.raises(UserError, match="1: knows 2 classes, but there are predictions of more"):
        confusions(series_of(tmp_path), "last")
    name_classes(tmp_path / "2", "a", "b", "c")
    with pytest.raises(UserError, match="have different classes"):
        confusions(series_of(tmp_path), "last")

from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.examples import result, write_run
from tests.evaluation.logged import log, series_of, three_methods
from uda.errors import UserError
from uda.evaluation.figures.curves import learning_curves
from uda.evaluation.figures.style import WIDTHS, Drawing, looks_of
from uda.evaluation.runs import export


def draw(path: Path, *quantities: str) -> Drawing:
    series = series_of(path)
    return learning_curves(series, quantities or ["accuracy"], looks_of(series))


def test_the_line_is_the_mean_and_the_band_one_standard_deviation(tmp_path: Path) -> None:
    for seed, accuracies in ((1, {100: 50.0, 200: 60.0, 250: 1.0}), (2, {100: 54.0, 200: 66.0})):
        log(write_run(tmp_path / str(seed), result(seed=seed)), accuracies)
    drawing = draw(tmp_path)
    (axis,) = drawing.figure.axes
    (line,) = axis.lines
    # only the steps that both seeds were evaluated at
    assert np.asarray(line.get_xdata()).tolist() == [100, 200]
    assert np.asarray(line.get_ydata()).tolist() == [52.0, 63.0]
    (band,) = axis.collections
    ends = band.get_paths()[0].get_extents()
    assert (ends.y0, ends.y1) == pytest.approx((52 - 8**0.5, 63 + 18**0.5))
    assert "mean of 2 seeds. Bands: sample standard deviation over seeds." in drawing.caption


def test_long_names_stay_within_the_figure(tmp_path: Path) -> None:
    for number in range(6):
        log(write_run(tmp_path / str(number), result(preset=f"{number}-{'long' * 12}")), {100: 50.0})
    series = series_of(tmp_path)
    for width in WIDTHS:
        figure = learning_curves(series, ["accuracy"], looks_of(series), width).figure
        figure.draw_without_rendering()
        box = figure.legends[0].get_window_extent()
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.axes[0].get_window_extent().height > 0.4 * figure.bbox.height


def test_methods_that_differ_amid_long_names_differ_in_the_legend(tmp_path: Path) -> None:
    for middle in ("once", "twice", "thrice"):
        run = result(preset=f"a-preset-with-quite-a-name-{middle}-and-then-the-same-end-again")
        log(write_run(tmp_path / middle, run), {100: 50.0})
    (legend,) = draw(tmp_path).figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert [[word for word in ("once", "twice", "thrice") if word in name] for name in names] == [
        ["once"],
        ["thrice"],
        ["twice"],
    ]


def test_one_seed_has_no_band(tmp_path: Path) -> None:
    log(write_run(tmp_path / "1", result()), {100: 50.0, 200: 60.0})
    drawing = draw(tmp_path)
    assert not drawing.figure.axes[0].collections
    assert drawing.caption == "Target test accuracy over training steps; one seed."


def test_a_single_evaluation_is_a_point_with_its_deviation_at_its_own_step(tmp_path: Path) -> None:
    for seed, accuracy in ((1, 50.0), (2, 54.0)):
        log(write_run(tmp_path / str(seed), result(seed=seed)), {1: accuracy})
    drawing = draw(tmp_path)
    drawing.figure.draw_without_rendering()
    (axis,) = drawing.figure.axes
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1"]
    point = axis.lines[0]
    assert (np.asarray(point.get_xydata()).tolist(), point.get_marker()) == ([[1.0, 52.0]], "o")
    (bar,) = axis.collections
    ends = bar.get_paths()[0].get_extents()
    assert (ends.y0, ends.y1) == pytest.approx((52 - 8**0.5, 52 + 8**0.5))
    assert drawing.caption.endswith("Bars: sample standard deviation over seeds.")


def test_a_single_evaluation_stands_beside_whole_curves(tmp_path: Path) -> None:
    for seed in (1, 2):
        log(write_run(tmp_path / f"{seed}", result(seed=seed)), {100: 50.0 + seed, 200: 60.0})
        log(write_run(tmp_path / f"dann-{seed}", result(method="dann", seed=seed)), {200: 55.0 + seed})
    drawing = draw(tmp_path)
    assert "Bands, and bars where there is one evaluation: sample standard" in drawing.caption
    assert len(drawing.figure.axes[0].get_xticks()) > 1


def test_each_pair_has_a_panel_with_every_method(tmp_path: Path) -> None:
    figure = draw(three_methods(tmp_path)).figure
    assert [axis.get_title() for axis in figure.axes] == ["MNIST → USPS", "USPS → MNIST"]
    assert [len(axis.lines) for axis in figure.axes] == [3, 3]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Source only", "DANN", "UNIT"]


def test_terms_and_validators_have_panels_of_their_own(tmp_path: Path) -> None:
    three_methods(tmp_path, [("mnist", "usps")])
    titles = [axis.get_title() for axis in draw(tmp_path, "terms", "validators").figure.axes]
    assert titles == ["classification", "entropy", "diversity"]
    (axis,) = draw(tmp_path, "classification").figure.axes
    assert np.asarray(axis.lines[0].get_ydata()).tolist() == [1.0, 0.5, 1.0 / 3]


def test_a_term_that_a_method_lacks_is_not_drawn_for_it(tmp_path: Path) -> None:
    log(write_run(tmp_path / "1", result()), {100: 50.0}, {"kl": [1.0]})
    log(write_run(tmp_path / "2", result(method="dann")), {100: 50.0}, {"domain": [1.0]})
    figure = draw(tmp_path, "terms").figure
    assert [(axis.get_title(), len(axis.lines)) for axis in figure.axes] == [("domain", 1), ("kl", 1)]


def test_wrong_quantities_and_runs_without_folders_are_errors(tmp_path: Path) -> None:
    three_methods(tmp_path / "runs", [("mnist", "usps")])
    with pytest.raises(UserError, match="unknown quantity 'entropi': did you mean 'entropy'"):
        draw(tmp_path / "runs", "entropi")
    log(write_run(tmp_path / "bare", result()), {100: 50.0})
    with pytest.raises(UserError, match="no run here logged terms"):
        draw(tmp_path / "bare", "terms")
    export([result()], tmp_path / "runs.csv")
    with pytest.raises(UserError, match=r"give run folders, not a runs\.csv"):
        draw(tmp_path / "runs.csv")

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.evaluation.examples import result, write_run
from tests.evaluation.logged import log, series_of, three_methods
from uda.errors import UserError
from uda.evaluation.figures.ranking import rank_correlation, scored, validator_scatter
from uda.evaluation.figures.style import looks_of


def test_correlation_is_scipys_within_a_pair(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    steps, truth = range(1, 9), rng.uniform(0, 100, 8)
    scores = rng.normal(size=8)
    log(write_run(tmp_path / "1", result()), dict(zip(steps, truth, strict=True)), scores={"entropy": scores.tolist()})
    found = rank_correlation("entropy", scored(series_of(tmp_path)))
    assert found == pytest.approx(spearmanr(scores, truth).statistic)


def test_pairs_are_not_pooled(tmp_path: Path) -> None:
    # within each pair the score falls as accuracy rises; pooled, the easy pair's high scores would hide that
    log(write_run(tmp_path / "1", result()), {1: 10.0, 2: 20.0, 3: 30.0}, scores={"entropy": [3.0, 2.0, 1.0]})
    easy = write_run(tmp_path / "2", result(source="usps", target="mnist"))
    log(easy, {1: 70.0, 2: 80.0, 3: 90.0}, scores={"entropy": [30.0, 20.0, 10.0]})
    points = scored(series_of(tmp_path))
    assert spearmanr([p.scores["entropy"] for p in points], [p.accuracy for p in points]).statistic > 0.4
    assert rank_correlation("entropy", points) == pytest.approx(-1.0)


def test_a_constant_score_has_no_correlation(tmp_path: Path) -> None:
    log(write_run(tmp_path / "1", result()), {1: 10.0, 2: 20.0}, scores={"entropy": [1.0, 1.0]})
    series = series_of(tmp_path)
    assert rank_correlation("entropy", scored(series)) is None
    assert validator_scatter(series, looks_of(series)).figure.axes[0].get_title() == "entropy\nρ –"


def test_every_validator_has_a_panel_and_every_evaluation_a_point(tmp_path: Path) -> None:
    three_methods(tmp_path)
    log(write_run(tmp_path / "t", result(method="target-only")), {1: 99.0}, scores={"entropy": [9.0]})
    series = series_of(tmp_path)
    drawing = validator_scatter(series, looks_of(series))
    assert [axis.get_title() for axis in drawing.figure.axes] == ["entropy\nρ 1.00", "diversity\nρ −1.00"]
    points = [len(np.asarray(line.get_xdata())) for line in drawing.figure.axes[0].lines]
    assert points == [18, 18]  # 2 pairs of 3 methods, 2 seeds, 3 evaluations; not the ceiling, which saw labels
    assert "all 36 evaluations" in drawing.caption
    legend = [text.get_text() for text in drawing.figure.legends[0].get_texts()]
    assert legend == ["MNIST → USPS", "USPS → MNIST"]


def test_one_pair_is_coloured_by_method(tmp_path: Path) -> None:
    series = series_of(three_methods(tmp_path, [("mnist", "usps")]))
    figure = validator_scatter(series, looks_of(series), ["entropy"]).figure
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Source only", "DANN", "UNIT"]
    assert len(figure.axes) == 1


def test_wrong_names_and_runs_without_validators_are_errors(tmp_path: Path) -> None:
    series = series_of(three_methods(tmp_path, [("mnist", "usps")]))
    with pytest.raises(UserError, match="did you mean 'diversity'"):
        validator_scatter(series, looks_of(series), ["divercity"])
    with pytest.raises(UserError, match="unknown validator in these runs 'accuracy'"):
        validator_scatter(series, looks_of(series), ["accuracy"])
    with pytest.raises(UserError, match="no run here has a history of its validators"):
        validator_scatter([], {})

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from uda.evaluation.figures.reliability import Outcome, outcomes, reliability_diagram
from uda.metrics.accuracy import accuracy


def outcome(confidences: list[float], right: list[bool]) -> Outcome:
    """Two classes: the first is predicted with the given confidence."""
    p = torch.tensor(confidences, dtype=torch.float64)
    return Outcome("UNIT", torch.stack([p, 1 - p], 1).log(), torch.tensor([0 if r else 1 for r in right]))


def rectangles(axis: Axes) -> list[Rectangle]:
    return [patch for patch in axis.patches if isinstance(patch, Rectangle)]


def test_bars_are_accuracies_of_bins_and_gaps_reach_the_confidence() -> None:
    one = outcome([0.55, 0.58, 0.9, 0.9, 0.9, 0.9], [True, False, True, True, True, False])
    diagram, histogram = reliability_diagram([one], bins=5).figure.axes
    bars = [(bar.get_x(), bar.get_y(), bar.get_height()) for bar in rectangles(diagram)]
    expected = [(0.4, 0.0, 0.5), (0.8, 0.0, 0.75), (0.4, 0.5, 0.065), (0.8, 0.75, 0.15)]
    assert np.array(bars) == pytest.approx(np.array(expected))
    assert [bar.get_height() for bar in rectangles(histogram)] == pytest.approx([2 / 6, 4 / 6])
    # (2 · |0.5 - 0.565| + 4 · |0.75 - 0.9|) / 6
    assert [text.get_text() for text in diagram.texts] == ["ECE 12.2 %"]


def test_models_stand_beside_each_other() -> None:
    one = outcome([0.9, 0.7], [True, False])
    figure = reliability_diagram([one] * 4).figure
    assert len(figure.axes) == 8
    assert sum(axis.get_title() == "UNIT" for axis in figure.axes) == 4


def test_a_checkpoint_is_judged_on_the_target_test_split(source_only_run: Path, tmp_path: Path) -> None:
    (found,) = outcomes([source_only_run / "checkpoint.pt"], "last", tmp_path)
    assert found.title == "Source only"
    assert len(found.labels) == 30
    assert f'"accuracy_last": {accuracy(found.logits, found.labels)}' in (source_only_run / "result.json").read_text()

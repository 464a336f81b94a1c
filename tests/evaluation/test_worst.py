"""The most confident mistakes, found and drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from uda.evaluation.classify import Classified, classify
from uda.evaluation.worst import draw_worst, find_worst


@pytest.fixture
def classified(unit_run: Path) -> Classified:
    """Thirty images of one grey each, of which 4, 7 and 20 are taken for the next class, 7 most confidently."""
    found = classify(unit_run / "checkpoint.pt", "last", unit_run)
    logits = 5 * torch.eye(3)[found.labels]
    for index, size in ((4, 2.0), (7, 9.0), (20, 3.0)):
        logits[index] = size * torch.eye(3)[(found.labels[index] + 1) % 3]
    images = (100 + torch.arange(30, dtype=torch.uint8)).reshape(30, 1, 1, 1).expand(30, 3, 32, 32)
    chosen = replace(found.chosen, split=replace(found.chosen.split, images=images))
    return replace(found, logits=logits, chosen=chosen)


def test_the_most_confident_mistake_comes_first(classified: Classified) -> None:
    found = find_worst(classified, 2)
    assert [(m.index, m.label, m.predicted) for m in found] == [(7, "cross", "square"), (20, "square", "circle")]
    assert found[0].confidence == pytest.approx(np.exp(9) / (np.exp(9) + 2))
    assert [mistake.index for mistake in find_worst(classified, 10)] == [7, 20, 4]


def test_images_are_drawn_in_that_order_and_no_others(classified: Classified) -> None:
    pixels = np.asarray(draw_worst(classified, find_worst(classified, 10)))
    places = {}
    for index in range(30):
        rows, columns = np.nonzero((pixels == 100 + index).all(axis=2))
        if len(rows) >= 64 * 64:  # 32x32, twice enlarged; some pixels of letters have these greys too
            places[index] = float(np.median(columns))
    assert sorted(places, key=places.__getitem__) == [7, 20, 4]


def test_many_images_take_several_rows(classified: Classified) -> None:
    all_wrong = replace(classified, logits=torch.eye(3)[(classified.labels + 1) % 3])
    sizes = [draw_worst(all_wrong, find_worst(all_wrong, count)).size for count in (10, 11, 21)]
    assert len({width for width, _ in sizes}) == 1
    assert sizes[2][1] - sizes[1][1] == sizes[1][1] - sizes[0][1] > 64


def test_nothing_is_wrong_with_a_perfect_model(classified: Classified) -> None:
    perfect = replace(classified, logits=torch.eye(3)[classified.labels])
    assert find_worst(perfect, 5) == ()

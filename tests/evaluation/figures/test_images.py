from dataclasses import replace

import numpy as np
import torch
from matplotlib.figure import Figure

from uda.evaluation.figures.images import comparison_grid, interpolation_grid, translation_grid
from uda.evaluation.interpolate import Interpolation
from uda.evaluation.translate import Translations


def grey(*values: int) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.uint8).reshape(-1, 1, 1, 1).expand(-1, 1, 4, 4)


def shown(figure: Figure) -> list[list[int]]:
    """The brightness of each image, in rows from the top, in each from the left."""
    rows: dict[float, list[tuple[float, int]]] = {}
    for image in figure.axes[0].images:
        left, _, _, top = image.get_extent()
        pixels = np.asarray(image.get_array())
        assert (pixels == pixels[0, 0]).all()
        rows.setdefault(round(top, 3), []).append((left, int(pixels[0, 0, 0])))
    return [[value for _, value in sorted(rows[top])] for top in sorted(rows)]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


FORTH = Translations("MNIST", "USPS", grey(1, 2), grey(3, 4), grey(5, 6), grey(7, 8))
BACK = Translations("USPS", "MNIST", grey(11, 12), grey(13, 14), grey(15, 16), grey(17, 18))


def test_streams_stand_below_each_other_and_directions_too() -> None:
    figure = translation_grid([FORTH, BACK]).figure
    assert shown(figure) == [[1, 2], [3, 4], [5, 6], [7, 8], [11, 12], [13, 14], [15, 16], [17, 18]]
    streams = ["input", "reconstruction", "translation", "cycle"]
    assert texts(figure) == ["MNIST → USPS", *streams, "USPS → MNIST", *streams]


def test_without_reconstructions_there_is_no_row_of_them() -> None:
    drawing = translation_grid([replace(FORTH, reconstructions=None)])
    assert shown(drawing.figure) == [[1, 2], [5, 6], [7, 8]]
    assert texts(drawing.figure) == ["MNIST → USPS", "input", "translation", "cycle"]
    assert drawing.caption == "Held-out images translated: MNIST → USPS, and back (cycle). One of each class first."


def test_compact_has_input_and_translation() -> None:
    figure = translation_grid([FORTH], compact=True, width="column").figure
    assert shown(figure) == [[1, 2], [5, 6]]
    assert texts(figure) == ["MNIST", "→ USPS"]
    assert figure.get_figwidth() == 3.4


def test_translators_stand_below_each_other_with_their_ways_back() -> None:
    other = Translations("MNIST", "USPS", grey(1, 2), grey(0, 0), grey(25, 26), grey(27, 28))
    figure = comparison_grid([("as it is", FORTH), ("cycle", other)]).figure
    assert shown(figure) == [[1, 2, 1, 2], [5, 6, 7, 8], [25, 26, 27, 28]]
    assert texts(figure) == ["→ USPS", "→ USPS → MNIST", "input", "as it is", "cycle"]


def test_a_way_stands_between_its_images_and_above_its_other_domain() -> None:
    way = Interpolation("MNIST", "USPS", grey(1)[0], grey(9)[0], grey(2, 3, 4), grey(5, 6, 7))
    figure = interpolation_grid([way, way]).figure
    assert shown(figure) == [[1, 2, 3, 4, 9], [5, 6, 7], [1, 2, 3, 4, 9], [5, 6, 7]]
    assert texts(figure) == ["input", "input", *["MNIST", "→ USPS"] * 2]
    first, below = (figure.axes[0].images[place].get_extent()[0] for place in (1, 5))
    assert first == below  # what a code looks like in one domain stands above what it looks like in the other


def test_images_are_square_and_within_the_figure() -> None:
    figure = translation_grid([FORTH, BACK]).figure
    for image in figure.axes[0].images:
        box = image.get_window_extent()
        assert abs(box.width - box.height) < 0.01
        assert min(box.x0, box.y0) >= 0.0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1

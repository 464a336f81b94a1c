from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from uda.errors import UserError
from uda.evaluation.picture import Arrangement, draw, save
from uda.evaluation.translate import Translations

COLOURS = {"inputs": (255, 0, 0), "reconstructions": (0, 255, 0), "translations": (0, 0, 255), "cycles": (255, 255, 0)}


def panel(count: int, origin: str = "MNIST", destination: str = "USPS") -> Translations:
    """Images of one colour per stream."""
    images = {
        name: torch.tensor(colour, dtype=torch.uint8).reshape(1, 3, 1, 1).expand(count, 3, 28, 28)
        for name, colour in COLOURS.items()
    }
    return Translations(origin, destination, **images)


def area(image: Image.Image, colour: tuple[int, int, int]) -> tuple[int, float, float]:
    """Number of pixels of a colour, and the centre of them."""
    rows, columns = np.nonzero((np.asarray(image) == colour).all(axis=2))
    return len(rows), float(columns.mean()), float(rows.mean())


def test_tall_has_a_column_per_stream() -> None:
    image = draw([panel(3)], "tall")
    areas = [area(image, colour) for colour in COLOURS.values()]
    assert [count for count, _, _ in areas] == [3 * 56 * 56] * 4
    assert [x for _, x, _ in areas] == sorted(x for _, x, _ in areas)
    assert len({y for _, _, y in areas}) == 1


def test_wide_has_a_row_per_stream() -> None:
    image = draw([panel(3)], "wide")
    areas = [area(image, colour) for colour in COLOURS.values()]
    assert [count for count, _, _ in areas] == [3 * 56 * 56] * 4
    assert [y for _, _, y in areas] == sorted(y for _, _, y in areas)
    assert len({x for _, x, _ in areas}) == 1


@pytest.mark.parametrize(("arrangement", "axis"), [("tall", 0), ("wide", 1)])
def test_without_reconstructions_the_grid_is_smaller_by_their_images(arrangement: Arrangement, axis: int) -> None:
    whole, rest = draw([panel(3)], arrangement), draw([replace(panel(3), reconstructions=None)], arrangement)
    assert not (np.asarray(rest) == COLOURS["reconstructions"]).all(axis=2).any()
    assert area(rest, COLOURS["cycles"])[0] == area(whole, COLOURS["cycles"])[0]
    assert rest.size[axis] < whole.size[axis]


def test_compact_shows_translations_below_inputs() -> None:
    image = draw([panel(3), panel(3, "a much longer name", "b")], "compact")
    inputs, translations = area(image, COLOURS["inputs"]), area(image, COLOURS["translations"])
    assert inputs[:2] == translations[:2]
    assert inputs[2] < translations[2]
    assert inputs[0] == 2 * 3 * 56 * 56
    for stream in ("reconstructions", "cycles"):
        assert not (np.asarray(image) == COLOURS[stream]).all(axis=2).any()


@pytest.mark.parametrize("arrangement", ["tall", "wide", "compact"])
def test_labels_are_written_and_grey_images_shown(arrangement: Arrangement) -> None:
    grey = {name: torch.full((2, 1, 16, 16), 200, dtype=torch.uint8) for name in COLOURS}
    image = draw([Translations("MNIST", "USPS", **grey)], arrangement)
    pixels = np.asarray(image)
    assert (pixels == 200).all(axis=2).sum() >= 2 * 2 * 64 * 64
    assert (pixels < 100).all(axis=2).sum() > 100  # ink


def test_pictures_are_png_files(tmp_path: Path) -> None:
    save(draw([panel(1)], "wide"), tmp_path / "new" / "grid.png")
    with Image.open(tmp_path / "new" / "grid.png") as image:
        assert image.format == "PNG"
    with pytest.raises(UserError, match=r"grid\.jpg: pictures are written as PNG"):
        save(draw([panel(1)], "wide"), tmp_path / "grid.jpg")

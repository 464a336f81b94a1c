from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path as MarkerPath
from matplotlib.textpath import TextPath

from tests.evaluation.examples import CLASSES, namesakes, train_tiny
from uda.errors import UserError
from uda.evaluation.embedding import Embedding, embed_domains, tsne
from uda.evaluation.figures.style import Drawing, Width
from uda.evaluation.figures.tsne import tsne_panels, written_marker


def clusters(count: int) -> tuple[torch.Tensor, np.ndarray]:
    labels = np.arange(count) % 3
    centres = 20.0 * torch.eye(3, 10)
    return centres[labels] + torch.randn(count, 10, generator=torch.Generator().manual_seed(0)), labels


def test_what_is_apart_stays_apart_and_comes_out_the_same_again() -> None:
    features, labels = clusters(90)
    points = tsne(features, seed=0)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2) + np.diag(np.full(90, np.inf))
    assert (labels[distances.argmin(1)] == labels).all()
    assert np.array_equal(points, tsne(features, seed=0))


def test_both_domains_are_sampled_alike_and_the_sample_is_fixed(unit_run: Path, tmp_path: Path) -> None:
    one, again = (embed_domains(unit_run / "checkpoint.pt", "last", tmp_path, count=40) for _ in range(2))
    assert (len(one.points), int(one.target.sum())) == (40, 20)
    assert (one.source_name, one.target_name, one.class_names) == ("grey.npz", "colour.npz", CLASSES)
    assert np.array_equal(one.points, again.points)
    all_of_it = embed_domains(unit_run / "checkpoint.pt", "last", tmp_path, count=1000)
    assert np.bincount(all_of_it.labels[all_of_it.target]).tolist() == [10, 10, 10]


def test_domains_whose_files_have_one_name_are_told_apart(tmp_path: Path) -> None:
    run = train_tiny(tmp_path, "source-only", namesakes(tmp_path))
    found = embed_domains(run / "checkpoint.pt", "last", tmp_path, count=8)
    assert (found.source_name, found.target_name) == ("one/photos.npz", "two/photos.npz")


def test_too_few_images_are_refused(unit_run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="t-SNE of 4 images shows nothing"):
        embed_domains(unit_run / "checkpoint.pt", "last", tmp_path, count=4)


def test_a_written_marker_is_the_centred_outline_of_its_letters() -> None:
    for name in ("7", "$", "10"):
        marker, letters = written_marker(name), TextPath((0, 0), name, size=10)
        assert marker.codes is not None
        assert np.array_equal(marker.codes, letters.codes)
        box, expected = marker.get_extents(), letters.get_extents()
        assert (box.width, box.height) == pytest.approx((expected.width, expected.height))
        assert (box.x0, box.y0) == pytest.approx((-box.x1, -box.y1))


@pytest.mark.parametrize("names", [("0", "1", "2"), CLASSES, ("$", "_", "^")])
def test_every_point_stands_in_both_panels(names: tuple[str, ...]) -> None:
    points = np.arange(24, dtype=float).reshape(12, 2)
    labels, target = np.arange(12) % 3, np.arange(12) >= 8
    figure = tsne_panels(Embedding(points, labels, target, True, names, "MNIST", "USPS")).figure
    figure.draw_without_rendering()
    by_class, by_domain = figure.axes
    shown = [np.column_stack(line.get_data()) for line in by_class.lines]
    assert [sorted(rows.tolist()) for rows in shown] == [points[labels == k].tolist() for k in range(3)]
    shown = [np.column_stack(line.get_data()) for line in by_domain.lines]
    assert [rows.tolist() for rows in shown] == [points[~target].tolist(), points[target].tolist()]
    legend = by_domain.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["MNIST", "USPS"]


def drawn(names: Sequence[str], width: Width = "page", source: str = "MNIST", target: str = "USPS") -> Drawing:
    count = 2 * len(names)
    points = np.random.default_rng(0).normal(size=(count, 2))
    found = Embedding(
        points, np.arange(count) % len(names), np.arange(count) >= len(names), True, tuple(names), source, target
    )
    return tsne_panels(found, width)


def looks(axis: Axes) -> list[tuple[object, ...]]:
    """What each class is drawn with: its colour, and the outline of its marker."""
    markers = [line.get_marker() for line in axis.lines]
    outlines = [np.asarray(m.vertices).tobytes() if isinstance(m, MarkerPath) else m for m in markers]
    return [(line.get_color(), outline) for line, outline in zip(axis.lines, outlines, strict=True)]


@pytest.mark.parametrize("count", [10, 11, 40, 100, 150])
@pytest.mark.parametrize("width", ["column", "page"])
def test_no_two_classes_look_the_same(count: int, width: Width) -> None:
    figure = drawn([f"class {n}" for n in range(count)], width).figure
    assert len(set(looks(figure.axes[0]))) == count
    figure.draw_without_rendering()
    for legend in figure.legends:
        box = legend.get_window_extent()
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    for axis in figure.axes:  # a legend takes none of the panels' room
        assert axis.get_window_extent().height > 0.8 * axis.get_window_extent().width


def test_numbers_of_many_classes_are_explained() -> None:
    names = [f"class {n}" for n in range(40)]
    drawing = drawn(names)
    (legend,) = drawing.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == names
    assert drawing.caption.endswith("Numbers are classes.")
    drawing = drawn([f"class {n}" for n in range(200)])
    assert not drawing.figure.legends
    assert "from 0 (class 0) to 199 (class 199): there is no room for a legend of them all." in drawing.caption
    assert "Numbers" not in drawn(names[:10]).caption
    assert "Numbers" not in drawn([str(n) for n in range(40)]).caption  # each stands in the place of its points


def test_digits_are_of_one_height() -> None:
    lines = drawn([str(n) for n in range(12)]).figure.axes[0].lines
    markers = [MarkerStyle(line.get_marker()) for line in lines]
    heights = [
        line.get_markersize() * m.get_path().transformed(m.get_transform()).get_extents().height
        for line, m in zip(lines, markers, strict=True)
    ]
    assert heights == pytest.approx([heights[0]] * 12, rel=0.05)


@pytest.mark.parametrize("width", ["column", "page"])
def test_long_names_of_domains_stay_within_the_figure(width: Width) -> None:
    figure = drawn(["0", "1"], width, "one/" + "folder" * 8, "two/" + "folder" * 8).figure
    figure.draw_without_rendering()
    legend = figure.axes[1].get_legend()
    assert legend is not None
    box = legend.get_window_extent()
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    first, second = [text.get_text() for text in legend.get_texts()]
    assert first != second

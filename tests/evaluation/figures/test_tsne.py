from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.textpath import TextPath

from tests.evaluation.examples import CLASSES
from uda.errors import UserError
from uda.evaluation.embedding import Embedding, embed_domains, tsne
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


def many(classes: int) -> Embedding:
    labels = np.arange(2 * classes) % classes
    points = np.random.default_rng(0).normal(size=(2 * classes, 2))
    names = tuple(f"class number {n}" for n in range(classes))
    return Embedding(points, labels, np.arange(2 * classes) >= classes, True, names, "x/photos", "y/photos")


def test_no_two_of_many_classes_look_alike_and_their_legend_takes_no_room_from_the_points() -> None:
    few, forty = (tsne_panels(many(classes)).figure for classes in (4, 40))
    looks = {(line.get_color(), line.get_marker()) for line in forty.axes[0].lines}
    assert len(looks) == 40
    (legend,) = forty.legends
    assert [text.get_text() for text in legend.get_texts()] == list(many(40).class_names)
    for figure in (few, forty):
        figure.draw_without_rendering()
    heights = [figure.axes[0].get_window_extent().height for figure in (few, forty)]
    assert heights[1] > 0.9 * heights[0]
    box = legend.get_window_extent()
    assert forty.bbox.x0 <= box.x0 < box.x1 <= forty.bbox.x1


def test_more_classes_than_there_are_looks_have_no_legend() -> None:
    drawing = tsne_panels(many(71))
    assert not drawing.figure.legends
    assert drawing.caption.endswith("71 classes are too many to be told by colour.")

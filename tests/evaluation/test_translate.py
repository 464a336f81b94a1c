from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from uda.data.augmentation import to_float
from uda.data.shaping import resize
from uda.errors import UserError
from uda.evaluation.own_images import read_fitted
from uda.evaluation.translate import (
    Translations,
    one_per_class_first,
    translate_domains,
    translate_folder,
)
from uda.evaluation.translators import to_uint8
from uda.methods.unit import UnitMethod
from uda.training.checkpoint import load_model


def test_selection_shows_each_class_before_any_a_second_time() -> None:
    labels = torch.tensor([2, 2, 0, 1, 0, 2])
    assert one_per_class_first(labels, 3).tolist() == [2, 3, 0]
    assert one_per_class_first(labels, 9).tolist() == [2, 3, 0, 4, 1, 5]


def test_pixels_go_to_the_model_and_back_unchanged() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(to_uint8(to_float(pixels)), pixels)
    assert to_uint8(torch.tensor([-1.5, 1.5])).tolist() == [0, 255]


def test_streams_of_held_out_images_are_the_cores(unit_run: Path, tmp_path: Path) -> None:
    forth, back = translate_domains(unit_run / "checkpoint.pt", "last", "both", 5, tmp_path)
    assert (forth.origin, forth.destination) == ("grey.npz", "colour.npz")
    assert (back.origin, back.destination) == ("colour.npz", "grey.npz")
    with np.load(unit_run.parent.parent / "grey.npz") as file:
        expected = torch.from_numpy(file["test_images"][:5])  # labels are 0, 1, 2, 0, 1
    assert forth.inputs.shape == (5, 3, 32, 32)
    assert torch.equal(forth.inputs[:, 0].float().mean((1, 2)).argsort(), expected.float().mean((1, 2)).argsort())
    method, _ = load_model(unit_run / "checkpoint.pt")
    assert isinstance(method, UnitMethod)
    assert back.reconstructions is not None
    with torch.no_grad():
        floats = to_float(back.inputs)
        assert torch.equal(back.reconstructions, to_uint8(method.core.reconstruct(floats, 1)))
        assert torch.equal(back.translations, to_uint8(method.core.translate(floats, 1)))
        assert torch.equal(back.cycles, to_uint8(method.core.cycle(floats, 1)))


def test_the_same_images_come_out_every_time(unit_run: Path, tmp_path: Path) -> None:
    first, second = (
        translate_domains(unit_run / "checkpoint.pt", "pick", "source-to-target", 4, tmp_path)[0] for _ in range(2)
    )
    for name in Translations.__dataclass_fields__:
        one, other = getattr(first, name), getattr(second, name)
        assert torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def test_a_folder_of_images_needs_no_data(unit_run: Path, tmp_path: Path) -> None:
    images = tmp_path / "my images"
    images.mkdir()
    Image.new("RGB", (50, 20), (255, 0, 0)).save(images / "b.PNG")
    Image.new("L", (7, 7), 100).save(images / "a.jpg")
    (images / "notes.txt").write_text("no image", encoding="utf-8")
    (panel,) = translate_folder(unit_run / "checkpoint.pt", "last", "target-to-source", 10, images)
    assert panel.inputs.shape == panel.translations.shape == (2, 3, 32, 32)
    assert panel.origin == "colour.npz"
    assert panel.inputs[1, :, 5, 5].tolist() == [255, 0, 0]
    assert (panel.inputs[0].float() - 100).abs().max() <= 2


def test_images_are_fitted_to_the_models_input(tmp_path: Path) -> None:
    Image.new("RGB", (40, 20), (255, 255, 255)).save(tmp_path / "white.png")
    Image.new("RGBA", (4, 4), (0, 0, 255, 255)).save(tmp_path / "blue.png")
    white = read_fitted(tmp_path / "white.png", (1, 16, 16))
    assert white.shape == (1, 16, 16)
    assert white.unique().tolist() == [254]  # what torchvision makes of it for grey domains too
    assert read_fitted(tmp_path / "blue.png", (3, 8, 8))[:, 0, 0].tolist() == [0, 0, 255]


def test_an_image_is_fitted_as_those_of_a_folder_domain_are(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 30, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    expected = resize(torch.from_numpy(pixels).permute(2, 0, 1)[None], 16)[0]
    assert torch.equal(read_fitted(tmp_path / "noise.png", (3, 16, 16)), expected)


def test_bad_folders_and_images_are_named(unit_run: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UserError, match="no folder with images in it"):
            translate_folder(unit_run / "checkpoint.pt", "last", "both", 3, folder)
    (tmp_path / "broken.png").write_bytes(b"PNG?")
    with pytest.raises(UserError, match=r"broken\.png is not a readable image"):
        translate_folder(unit_run / "checkpoint.pt", "last", "both", 3, tmp_path)
    Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(UserError, match=r"deep\.png has more than 8 bits per pixel"):
        read_fitted(tmp_path / "deep.png", (1, 8, 8))
    Image.new("RGBA", (8, 8), (0, 0, 255, 0)).save(tmp_path / "clear.png")
    with pytest.raises(UserError, match=r"clear\.png has transparent pixels"):
        read_fitted(tmp_path / "clear.png", (3, 8, 8))


def test_a_method_that_cannot_translate_says_which_can(source_only_run: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"'source-only', does not translate images as .*; give a run of unit with a game, or of cyc"
    ):
        translate_domains(source_only_run / "checkpoint.pt", "last", "both", 3, tmp_path)

from pathlib import Path

import pytest
import torch

from uda.data.augmentation import to_float
from uda.errors import UserError
from uda.evaluation.interpolate import interpolate, interpolate_domains
from uda.evaluation.translate import translate_domains
from uda.evaluation.translators import find_core, to_uint8
from uda.training.checkpoint import load_model
from uda.unit.core import UNIT


def core_of(run: Path) -> UNIT:
    core = find_core(load_model(run / "checkpoint.pt")[0])
    assert core is not None
    return core


@torch.no_grad()
def test_the_ends_are_reconstructions_and_translations_and_the_middle_is_the_mean_code(
    unit_run: Path, tmp_path: Path
) -> None:
    (way,) = interpolate_domains(unit_run / "checkpoint.pt", "last", "target", 1, 5, tmp_path)
    assert (way.origin, way.destination) == ("colour.npz", "grey.npz")
    (panel,) = translate_domains(unit_run / "checkpoint.pt", "last", "target-to-source", 2, tmp_path)
    ends = torch.stack([way.first, way.last])
    assert torch.equal(ends, panel.inputs)
    core = core_of(unit_run)
    codes = core.encode(to_float(ends), 1)
    expected = torch.cat([codes[:1], codes.mean(0, keepdim=True), codes[1:]])
    # rounded to whole steps of brightness: batches of other sizes round otherwise by one
    for images, domain in ((way.own, 1), (way.other, 0)):
        assert (images[[0, 2, 4]].int() - to_uint8(core.decode(expected, domain)).int()).abs().max() <= 1
    assert panel.reconstructions is not None
    assert (way.own[[0, 4]].int() - panel.reconstructions.int()).abs().max() <= 1
    assert (way.other[[0, 4]].int() - panel.translations.int()).abs().max() <= 1


def test_each_image_is_used_once_and_classes_follow_each_other(unit_run: Path, tmp_path: Path) -> None:
    ways = interpolate_domains(unit_run / "checkpoint.pt", "pick", "source", 2, 3, tmp_path)
    ends = [image for way in ways for image in (way.first, way.last)]
    (panel,) = translate_domains(unit_run / "checkpoint.pt", "pick", "source-to-target", 4, tmp_path)
    assert torch.equal(torch.stack(ends), panel.inputs)
    assert {tuple(way.own.shape) for way in ways} == {(3, 3, 32, 32)}


def test_a_way_of_two_steps_is_its_ends(unit_run: Path, tmp_path: Path) -> None:
    core = core_of(unit_run)
    first, last = torch.zeros(3, 32, 32, dtype=torch.uint8), torch.full((3, 32, 32), 255, dtype=torch.uint8)
    own, other = interpolate(core, first, last, 0, 2)
    assert own.shape == other.shape == (2, 3, 32, 32)
    assert own.dtype == torch.uint8


def test_a_method_without_a_latent_space_is_an_error(source_only_run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'source-only', has no codes to interpolate between; give a run of unit"):
        interpolate_domains(source_only_run / "checkpoint.pt", "last", "source", 1, 3, tmp_path)

"""What a run has otherwise than its preset: what the preset sets, and nothing that it leaves open."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.test_run import QUICK
from uda.training.config import RunConfig
from uda.training.departures import departure_notes, departures
from uda.training.resolve import resolve
from uda.training.run import train


def make(preset: str, **overrides: Any) -> RunConfig:
    return resolve("unit", "rendered", "optdigits", preset=preset, protocol="embedded", overrides=overrides)


@pytest.mark.parametrize(
    "preset", ["default", "unit", "unit-2017-usps", "unit-2017-usps-alike", "unit-2017-usps-starts"]
)
def test_a_run_as_its_preset_has_it_departs_in_nothing(preset: str) -> None:
    assert departures(make(preset)) == {}
    assert departure_notes(make(preset)) == ()


def test_what_the_preset_sets_is_told_and_what_it_leaves_open_is_not() -> None:
    changed = make("unit-cpu", width=16, lambda_information=0.5, game_share=0.25, latent=64)
    assert departures(changed) == {"width": 16, "lambda_information": 0.5}
    assert departure_notes(changed) == ("not as preset unit-cpu: width 16, lambda_information 0.5",)
    assert departures(make("default", width=16)) == {}


def test_batches_and_augmentation_count_and_what_a_table_tells_anyway_does_not() -> None:
    changed = make("unit-2017-usps", batch_size=8, own_first=False, steps=100, evaluate_every=10, precision="bf16")
    assert departure_notes(changed) == ("not as preset unit-2017-usps: own_first false, batch_size 8",)


def test_a_result_tells_it_beside_its_other_notes(pair: tuple[str, str], tmp_path: Path) -> None:
    overrides = {**QUICK, "lambda_teacher": 1.5, "augmentation.painted": 0.5}
    config = resolve("unit", *pair, preset="no-teacher", protocol="embedded", overrides=overrides)
    notes = json.loads((train(config, tmp_path, tmp_path, quiet=True) / "result.json").read_text())["notes"]
    assert "not as preset no-teacher: lambda_teacher 1.5; 50 % of the source's images painted" in notes

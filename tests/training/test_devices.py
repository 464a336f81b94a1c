"""Device and precision by capability."""

import pytest
import torch

from uda.errors import UserError
from uda.training import devices


@pytest.mark.parametrize(
    ("flags", "gain", "precision"),
    [
        ({"sse2", "amx_bf16"}, 0.5, "bf16"),
        ({"avx512_bf16"}, 1.9, "bf16"),
        ({"avx512_bf16"}, 0.5, "fp32"),
        ({"avx512f", "avx2"}, 1.9, "fp32"),
        (set(), 1.9, "fp32"),
    ],
)
def test_the_processor_decides_on_a_cpu_unless_a_precision_is_named(monkeypatch, flags, gain, precision):
    monkeypatch.setattr(devices, "processor_flags", lambda: flags)
    monkeypatch.setattr(devices, "bf16_speed_up", lambda: gain)
    assert devices.resolve_precision("cpu", "auto") == precision
    assert devices.resolve_precision("cpu", "fp32") == "fp32"
    assert devices.resolve_precision("cpu", "bf16") == "bf16"


@pytest.mark.parametrize(("gain", "words"), [(0.25, "4.0 times as slowly"), (1.5, "")])
def test_a_precision_that_the_processor_is_slow_in_is_warned_of(monkeypatch, gain, words):
    monkeypatch.setattr(devices, "bf16_speed_up", lambda: gain)
    warning = devices.caution("cpu", ["fp32", "bf16"])
    assert words in warning
    assert bool(warning) == bool(words)
    assert devices.caution("cpu", ["fp32"]) == ""


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(UserError, match="unknown device"):
        devices.resolve_device("gpu")
    for name in ("meta", "mps", "cuda:x", "cuda:-1", ""):
        with pytest.raises(UserError, match=f"unknown device '{name}'"):
            devices.resolve_device(name)
    with pytest.raises(UserError, match="device 'cpu:1' was asked for, but the last one here is cpu:0"):
        devices.resolve_device("cpu:1")
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="no CUDA device"):
            devices.resolve_device("cuda")


def test_of_several_gpus_those_that_are_there_are_taken(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert devices.resolve_device("cuda:1") == torch.device("cuda:1")
    assert devices.resolve_device("cuda") == torch.device("cuda")
    with pytest.raises(UserError, match="device 'cuda:7' was asked for, but the last one here is cuda:1"):
        devices.resolve_device("cuda:7")


def test_what_is_recorded_names_the_processor():
    about = devices.describe_device(torch.device("cpu"))
    assert about["type"] == "cpu"
    assert about["name"]
    assert about["threads"] == torch.get_num_threads()

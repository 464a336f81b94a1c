"""The probe: what it may choose, that it leaves the method alone, and that a resumed run keeps what was chosen."""

import json
from pathlib import Path

import pytest
import torch

from tests.training.test_run import config_of, identical, weights
from uda.data.augmentation import Augmentation
from uda.data.batches import Batches
from uda.methods import METHODS, TaskShape
from uda.training import probe
from uda.training.probe import Layout, choose_layout, own_threads
from uda.training.run import train


def method_and_batches():
    torch.manual_seed(0)
    images = torch.randint(0, 256, (24, 1, 16, 16), dtype=torch.uint8)
    method = METHODS["unit"](METHODS["unit"].Config(width=2), TaskShape((1, 16, 16), (1, 16, 16), 3, 10))
    return method, Batches(images, torch.arange(24) % 3, images, 6, Augmentation(), 1, second_view=True)


def test_the_fastest_layout_is_taken_and_nothing_else_is_touched(monkeypatch):
    method, batches = method_and_batches()
    before = {name: tensor.clone() for name, tensor in method.state_dict().items()}
    threads = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    chosen = choose_layout(method, batches, "fp32", steps=1000)
    assert chosen.threads in (1, threads)
    assert torch.get_num_threads() == threads
    assert identical(before, method.state_dict())
    assert not any(o.state for o in method.optimisers.values())
    took = {Layout(True, 1): 3.0, Layout(True, threads): 2.0, Layout(False, 1): 1.0, Layout(False, threads): 4.0}
    monkeypatch.setattr(probe, "_seconds", lambda method, batches, precision, layout: took[layout])
    assert choose_layout(method, batches, "fp32", steps=1000) == min(took, key=lambda layout: took[layout])
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert choose_layout(method, batches, "fp32", steps=1000).threads == threads
    assert choose_layout(method, batches, "fp32", steps=10) == Layout()


def test_a_resumed_run_keeps_its_layout(pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of("unit", pair)
    monkeypatch.setattr("uda.training.job.choose_layout", lambda *_: Layout(channels_last=False))
    whole = train(config, tmp_path, tmp_path / "whole", quiet=True)
    monkeypatch.setattr("uda.training.run.evaluate", interrupted_once())
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path, tmp_path / "pieces", quiet=True)
    monkeypatch.setattr("uda.training.job.choose_layout", lambda *_: Layout(channels_last=True))
    pieces = train(config, tmp_path, tmp_path / "pieces", quiet=True)
    assert identical(weights(whole), weights(pieces))


def test_the_threads_of_one_run_do_not_bind_the_next(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uda.training.job.choose_layout", lambda *_: Layout(threads=1))
    with own_threads():
        torch.set_num_threads(3)
        folder = train(config_of("source-only", pair), tmp_path, tmp_path, quiet=True)
        assert json.loads((folder / "run.json").read_text())["device"]["threads"] == 1
        assert torch.get_num_threads() == 3


def interrupted_once():
    from uda.training.job import evaluate

    calls = []

    def evaluate_once(*arguments):
        evaluate(*arguments)
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt

    return evaluate_once

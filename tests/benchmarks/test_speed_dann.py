"""The contestants of the race of DANNs: the bare loop makes our update, peers learn, and the race can be run."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bare_dann as bare
import dann as race_of_danns
import pytest
import torch
from dann_task import Networks, Task, build_method, build_networks, draw_task
from pil_dann import pil_batches
from torch import nn

from uda.data.augmentation import to_float
from uda.data.batches import Batch
from uda.methods.dann import Dann

N = 8


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that share a core with others wait for each other at each of a small step's many operators."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def task() -> Task:
    """Three batches of each domain."""
    drawn = draw_task(torch.device("cpu"))
    return replace(
        drawn, source=drawn.source[: 3 * N], labels=drawn.labels[: 3 * N], target=drawn.target[: 3 * N], batch_size=N
    )


def without_dropout(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Dropout | nn.Dropout2d):
            module.p = 0.0


def in_order(images: int, batch_size: int, device: torch.device) -> Iterator[torch.Tensor]:
    yield from torch.split(torch.arange(images), batch_size)


def parameters_of(networks: Dann | Networks) -> list[nn.Parameter]:
    return [p for part in (networks.backbone, networks.head, networks.domain_head) for p in part.parameters()]


def test_images_that_go_through_pil_are_the_same_images(task: Task) -> None:
    batches = pil_batches(task, 0)
    found = [next(batches) for _ in range(3)]
    images, labels = (torch.cat(parts) for parts in zip(*found, strict=True))
    sources = images.unflatten(0, (3, 2 * N))[:, :N].flatten(0, 1)
    order = torch.cdist(to_float(task.source).flatten(1), sources.flatten(1)).argmin(1)
    torch.testing.assert_close(sources[order], to_float(task.source))
    assert sorted(order.tolist()) == list(range(3 * N))
    assert torch.equal(labels[order], task.labels)


def test_the_bare_loop_makes_our_update(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bare, "indices", in_order)
    method, networks = build_method(), build_networks()
    without_dropout(method)
    without_dropout(networks.all)
    loop = bare.bare_dann(task, networks, bf16=False)
    nn.Module.to(method, memory_format=torch.channels_last)
    for step in range(2):
        part = slice(step * N, (step + 1) * N)
        source, target = to_float(task.source[part]), to_float(task.target[part])
        method.update(Batch(source, task.labels[part], target, torch.arange(N)), torch.tensor(step))
        next(loop)
    for a, b in zip(parameters_of(method), parameters_of(networks), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(race_of_danns.PEERS))
def test_a_peer_learns_all_parameters_of_our_networks(name: str, task: Task) -> None:
    module, _ = race_of_danns.PEERS[name]
    peer = getattr(pytest.importorskip(module, exc_type=ImportError), module)
    networks = build_networks()
    before = [p.clone() for p in parameters_of(networks)]
    steps = peer(task, networks)
    for _ in range(4):  # into its second epoch
        next(steps)
    for a, b in zip(parameters_of(networks), before, strict=True):
        assert torch.isfinite(a).all()
        assert not torch.equal(a, b)


def test_the_race_writes_what_it_saw_and_says_who_is_left_out(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--rounds", "1", "--steps", "1", "--threads", "1", "--device", "cpu", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["dann.py", *options])
    monkeypatch.setattr(race_of_danns, "draw_task", lambda device: task)
    monkeypatch.setattr(race_of_danns, "PEERS", {"nobody": ("nobody_dann", "pip install nobody")})
    race_of_danns.main()
    assert "nobody is left out" in capsys.readouterr().out
    assert "Not matrix work: ours" in (tmp_path / "dann.md").read_text()
    (section,) = json.loads((tmp_path / "dann.json").read_text())["timings"].values()
    assert [row["name"] for row in section][:2] == ["ours", "bare loop"]
    assert all(row["images"] == 2 * N for row in section)

"""Updates on a CUDA device: the whole update, batch and all, is captured once as a graph and then replayed.

A replay is one launch, so that a small network keeps the device busy. What differs between steps is written into
tensors that the graph reads: the indices of the batch, the step, the learning rates. Random numbers come from
generators that the graph knows and that are seeded before each replay, so a captured run draws what an eager one does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from uda.data.batches import Batches
from uda.methods import Method
from uda.training.updates import Updates, noise_generator

#: Updates made eagerly first: they are part of the run, and let libraries choose and allocate outside of the graph.
EAGER_UPDATES = 3


class CapturedUpdates(Updates):
    """Makes updates by replaying a graph, on a stream of their own, so that those of several runs overlap."""

    def __init__(self, method: Method, batches: Batches, precision: str, seed: int) -> None:
        super().__init__(method, batches, precision, seed)
        self.stream = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        self.stream.wait_stream(torch.cuda.current_stream(self.device))
        self._noise = torch.Generator(self.device)
        self._source = torch.empty(batches.batch_size, dtype=torch.int64, device=self.device)
        self._target = torch.empty_like(self._source)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._eager = 0
        prepare_optimisers(method, self.device)

    def make(self, step: int) -> None:
        """Make the update of a step: the first few eagerly, all others in a replay."""
        if self._graph is None:  # weights may have been loaded on the current stream since
            self.stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(self.stream), self._own_noise(step):
            if self.prepare(step):  # a new stage is captured anew
                self._forget()
            source, target = self.batches.indices(step)
            self._source.copy_(source)
            self._target.copy_(target)
            if self._eager < EAGER_UPDATES:
                self._eager += 1
                self.update(self._source, self._target)
                return
            if self._graph is None:
                self._graph = self._capture()
            self._graph.replay()

    def means(self, count: int) -> dict[str, float]:
        """Return each term's mean (see `Updates.means`), and let what follows on the current stream see the updates."""
        torch.cuda.current_stream(self.device).wait_stream(self.stream)
        means = super().means(count)
        self.stream.wait_stream(torch.cuda.current_stream(self.device))
        return means

    def wait(self) -> None:
        """Wait for the device to have made all updates."""
        self.stream.synchronize()

    def _forget(self) -> None:
        """Let go of the graph, and of the gradients in its memory, which would keep all of that from further use."""
        if self._graph is not None:
            self.wait()
            for optimiser in self.method.optimisers.values():
                optimiser.zero_grad(set_to_none=True)
        self._graph, self._eager = None, 0

    def _capture(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.batches.generator)
        # thread_local: another thread may be copying a checkpoint off the device meanwhile
        with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
            self.update(self._source, self._target)
        return graph

    @contextmanager
    def _own_noise(self, step: int) -> Iterator[None]:
        """Let the device's default generator, which `randn_like` and dropout use, be this run's for a step.

        Graphs that share one generator would read each other's seeds when they run at the same time.
        """
        default = noise_generator(self.device)
        before = default.graphsafe_get_state()
        default.graphsafe_set_state(self._noise.graphsafe_get_state())
        default.manual_seed(self.noise_seed(step))
        try:
            yield
        finally:
            default.graphsafe_set_state(before)


def prepare_optimisers(method: Method, device: torch.device) -> None:
    """Let optimisers be captured on a CUDA device, or be used on a CPU, whichever they were saved on."""
    cuda = device.type == "cuda"
    for optimiser in method.optimisers.values():
        for group in optimiser.param_groups:
            rate = float(group["lr"])
            group.update(capturable=cuda, fused=True, lr=torch.tensor(rate, device=device) if cuda else rate)
        for state in optimiser.state.values():
            state["step"] = state["step"].to(device)


def make_updates(method: Method, batches: Batches, precision: str, seed: int) -> Updates:
    """Return the updates of a run: captured on a CUDA device unless the method waits for it, eager elsewhere."""
    device = batches.source_images.device
    if device.type == "cuda" and not method.waits:
        return CapturedUpdates(method, batches, precision, seed)
    prepare_optimisers(method, device)
    return Updates(method, batches, precision, seed)

"""A method's updates, one after the other, and what its terms came to. Only `means` waits for the device."""

from __future__ import annotations

import torch
from torch import Tensor

from uda.data.batches import Batches, stream_seed
from uda.errors import NotFiniteError
from uda.methods import Method
from uda.training.devices import autocast


class Updates:
    """Makes updates eagerly.

    Batch, augmentation and noise of an update depend on the seed and the step alone, so that a resumed run needs no
    random state, and several runs in one process do not disturb each other.

    Parameters
    ----------
    method, batches
        On one device.
    precision
        ``"fp32"`` or ``"bf16"``.
    seed
        Of the noise that a method draws itself (latent codes, dropout).
    """

    def __init__(self, method: Method, batches: Batches, precision: str, seed: int) -> None:
        self.method, self.batches, self.precision, self.seed = method, batches, precision, seed
        self.device = batches.source_images.device
        self._step = torch.zeros((), dtype=torch.int64, device=self.device)
        self._names: tuple[str, ...] = ()
        self._totals = self._broken = torch.empty(0)

    def make(self, step: int) -> None:
        """Make the update of a step."""
        noise_generator(self.device).manual_seed(self.noise_seed(step))
        self.prepare(step)
        self.update(*self.batches.indices(step))

    def means(self, count: int) -> dict[str, float]:
        """Return each term's mean over the last ``count`` updates, all since the last call; waits for the device.

        Raises
        ------
        NotFiniteError
            Naming the term and the step, if a term was not finite.
        """
        means = dict(zip(self._names, (self._totals / count).tolist(), strict=True))
        broken = {step: name for name, step in zip(self._names, self._broken.tolist(), strict=True) if step >= 0}
        self._totals.zero_()
        if broken:
            step = min(broken)
            raise NotFiniteError(
                f"the term {broken[step]} was not finite at step {step}: the run stops, its last checkpoint stays; "
                "lower learning_rate or that term's weight, or take precision fp32"
            )
        return means

    def wait(self) -> None:
        """Wait for the device to have made all updates: whoever lets go of their memory must, before others get it."""

    def noise_seed(self, step: int) -> int:
        """Return what the device's default generator is seeded with for a step."""
        return stream_seed(self.seed, "noise", step)

    def prepare(self, step: int) -> bool:
        """Put all that differs between steps where the update finds it: stage, schedules, step, augmentation's seed.

        Returns
        -------
        bool
            Whether the method is in another stage than at the last update.
        """
        changed = self.method.enter(step, self.batches)
        self.method.schedule(step)
        self._step.fill_(step)
        self.batches.reseed(step)
        return changed

    def update(self, source: Tensor, target: Tensor) -> None:
        """Update on the images of these indices; add up the terms."""
        batch = self.batches.make(source, target)
        with autocast(self.device, self.precision):
            terms = self.method.update(batch, self._step)
        values = torch.stack([term.float() for term in terms.values()])
        if not self._names:
            self._names = tuple(terms)
            self._totals = torch.zeros_like(values)
            self._broken = torch.full_like(values, -1, dtype=torch.int64)
        self._totals += values
        new = (self._broken < 0) & ~values.isfinite()
        self._broken.copy_(torch.where(new, self._step, self._broken))


def noise_generator(device: torch.device) -> torch.Generator:
    """Return the default generator of a device, which `randn_like` and dropout draw from there."""
    if device.type != "cuda":
        return torch.default_generator
    return torch.cuda.default_generators[torch.cuda.current_device() if device.index is None else device.index]

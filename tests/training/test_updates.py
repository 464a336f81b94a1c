"""What an update may cost: no wait for the device, no tensor built on the host, and as many passes as designed."""

from collections import Counter
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.training.small import FURTHER, small
from uda.methods import METHODS
from uda.methods.unit import AUTHORS
from uda.training.capture import make_updates
from uda.training.updates import Updates
from uda.unit.networks import Discriminator, Encoder, Generator

#: Each reads a value off the device, or has a shape that only the device knows.
WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "unique_dim", "_unique2", "bincount"}
#: How a tensor that was built on the host, or is moved between devices, enters.
FROM_HOST = {"lift_fresh", "scalar_tensor"}


def updates_of(name: str, **settings: Any) -> Updates:
    return make_updates(*small(name, settings, 60), "bf16", 1)


class Operations(TorchDispatchMode):
    """Counts the operations that reach the device."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.counts[function.overloadpacket.__name__] += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("name", "settings"), [*((name, {}) for name, method in sorted(METHODS.items()) if not method.waits), *FURTHER]
)
def test_fifty_updates_wait_for_nothing_and_build_nothing_on_the_host(name: str, settings: dict[str, Any]) -> None:
    updates = updates_of(name, **settings)
    updates.make(0)
    with Operations() as seen:
        for step in range(1, 51):
            updates.make(step)
    found = {key: n for key, n in seen.counts.items() if key in WAITS | FROM_HOST}
    assert not found
    assert seen.counts["_fused_adam_"] >= 50
    with Operations() as seen:
        assert all(isinstance(mean, float) for mean in updates.means(51).values())
        torch.tensor(1.0).item()
    assert seen.counts["_local_scalar_dense"]
    assert seen.counts["lift_fresh"]


PASSES = [
    # one encoding of both domains, one of translations, one by the teacher; one shared decoding, one for each domain;
    # D's move and the E,G move
    ({}, {"encode": 3, "high": 1, "low": 2, "discriminate": 2}),
    ({"lambda_teacher": 0.0, "lambda_translated": 0.0}, {"encode": 1, "high": 1, "low": 2, "discriminate": 2}),
    # the teacher is a discriminator
    ({"head": "discriminator"}, {"encode": 1, "high": 1, "low": 2, "discriminate": 3}),
    ({**AUTHORS, "discriminator_width": 2}, {"encode": 1, "high": 1, "low": 2, "discriminate": 2}),
    ({"lambda_4": 1.0}, {"encode": 4, "high": 2, "low": 4, "discriminate": 2}),
    # translations are read once more each, by a judge that is held; the teacher is asked once for both its terms
    ({"lambda_semantic": 1.0, "lambda_semantic_back": 1.0}, {"encode": 5, "high": 1, "low": 2, "discriminate": 2}),
    # twice for each domain: where to, and what then
    ({"lambda_vat_source": 1.0, "lambda_vat_target": 1.0}, {"encode": 7, "high": 1, "low": 2, "discriminate": 2}),
    ({"lambda_information": 1.0, "lambda_entropy": 1.0}, {"encode": 3, "high": 1, "low": 2, "discriminate": 2}),
]


@pytest.mark.parametrize(("settings", "expected"), PASSES)
def test_an_update_makes_as_many_passes_as_designed(
    settings: dict[str, Any], expected: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()

    def count(network: type, function: str, name: str) -> None:
        original = getattr(network, function)

        def counted(*args: Any, **kwargs: Any) -> Any:
            counts[name] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(network, function, counted)

    for network, function, name in (
        (Encoder, "forward", "encode"),
        (Generator, "high", "high"),
        (Generator, "low", "low"),
        (Discriminator, "features", "discriminate"),
    ):
        count(network, function, name)
    updates_of("unit", **{key: value for key, value in settings.items() if key != "width"}).make(0)
    assert counts == expected


def test_the_mean_is_over_the_updates_since_the_last_call() -> None:
    updates = updates_of("source-only")
    for step in range(3):
        updates.make(step)
    first = updates.means(3)
    updates.make(3)
    second = updates.means(1)
    again = updates_of("source-only")
    one_by_one = []
    for step in range(4):
        again.make(step)
        one_by_one.append(again.means(1)["classification"])
    assert first["classification"] == pytest.approx(sum(one_by_one[:3]) / 3, rel=1e-5)
    assert second["classification"] == pytest.approx(one_by_one[3], rel=1e-5)

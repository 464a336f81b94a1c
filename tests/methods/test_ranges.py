"""The ranges of settings: what no method can be built with is refused in one sentence, for every number of all."""

import contextlib
from dataclasses import dataclass, fields
from typing import Annotated, Any

import pytest

from uda.errors import UserError
from uda.methods import METHODS, TaskShape
from uda.methods.ranges import Count, Part, Positive, Range, Share, check_ranges

NUMBERS = [
    (name, f.name, type(f.default))
    for name, method in METHODS.items()
    for f in fields(method.Config)
    if isinstance(f.default, int | float) and not isinstance(f.default, bool)
]


@dataclass
class Settings:
    weight: float = 1.0
    channels: Count = 2
    temperature: Positive = 1.0
    confidence: Part = 1.0
    decay: Share = 0.0
    own: Annotated[int, Range(low=-1)] = -1
    maybe: Annotated[float | None, Range(high=1)] = None
    switch: bool = False
    name: str = ""


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("weight", -1.0, "weight is -1.0: it must be at least 0"),
        ("weight", float("nan"), "weight is nan: it must be at least 0"),
        ("channels", 0, "channels is 0: it must be at least 1"),
        ("temperature", 0.0, "temperature is 0.0: it must be above 0"),
        ("confidence", 1.1, "confidence is 1.1: it must be at least 0 and at most 1"),
        ("decay", 1.0, "decay is 1.0: it must be at least 0 and below 1"),
        ("own", -2, "own is -2: it must be at least -1"),
        ("maybe", 2.0, "maybe is 2.0: it must be at least 0 and at most 1"),
    ],
)
def test_a_number_out_of_its_range_is_named_with_it(name: str, value: Any, sentence: str) -> None:
    check_ranges(Settings())
    with pytest.raises(UserError) as caught:
        check_ranges(Settings(**{name: value}))
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("method", "setting", "number"), NUMBERS)
def test_every_number_builds_a_method_or_is_refused(method: str, setting: str, number: type[float]) -> None:
    kind = METHODS[method]
    task = TaskShape((1, 16, 16), (1, 16, 16), 3, 10)
    small: dict[str, Any] = {"width": 4} if hasattr(kind.Config, "width") else {}
    for value in (-2, 0, 2):
        with contextlib.suppress(UserError):
            kind(kind.Config(**{**small, setting: number(value)}), task)

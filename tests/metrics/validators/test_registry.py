"""No validator can be given a target label, and every score is finite whatever the model puts out."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.metrics.validators.examples import CLASSES, make_outputs
from uda.errors import UserError
from uda.metrics.validators import VALIDATORS, VISIBLE, find_validator, registry, validate
from uda.metrics.validators.registry import DERIVED, FAILED, derived, validator

TARGET_LABELS = ("target_labels", "target_train_labels", "target_test_labels", "target_val_labels", "labels")


def test_the_validators_of_the_literature_are_there_in_a_fixed_order() -> None:
    assert list(VALIDATORS) == [
        *("source-accuracy", "entropy", "diversity", "information-maximization", "bnm", "corr-c", "confidence-mask"),
        *("snd", "nearest-source", "class-cluster", "mmd"),
        *("importance-weighted", "dev-without-control-variate", "dev", "reverse", "mixval", "consistency"),
    ]


def test_what_may_be_seen_names_no_target_label() -> None:
    assert not [name for name in VISIBLE if "target" in name and "label" in name]
    for function in (*VALIDATORS.values(), *DERIVED.values()):
        assert set(inspect.signature(function).parameters) <= {*VISIBLE, *DERIVED}


@pytest.mark.parametrize("name", TARGET_LABELS)
def test_nothing_that_asks_for_a_target_label_can_be_registered(name: str) -> None:
    def cheat(target_train_logits: Tensor) -> float:
        raise AssertionError("never called")

    def derive_cheat(target_train_logits: Tensor) -> Tensor:
        raise AssertionError("never called")

    seen = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY) for n in ("target_train_logits", name)]
    cheat.__signature__ = derive_cheat.__signature__ = inspect.Signature(seen)  # type: ignore[attr-defined]
    before = dict(VALIDATORS), dict(DERIVED)
    with pytest.raises(ValueError, match=f"cheat asks for '{name}', which no validator may see"):
        validator("cheat")(cheat)
    with pytest.raises(ValueError, match=f"cheat asks for '{name}', which no validator may see"):
        derived(derive_cheat)
    assert before == (VALIDATORS, DERIVED)


@pytest.mark.parametrize("name", TARGET_LABELS)
def test_target_labels_cannot_be_handed_over(name: str) -> None:
    with pytest.raises(ValueError, match=rf"not allowed \['{name}'\]"):
        validate({**make_outputs(), name: torch.zeros(120, dtype=torch.int64)})


def test_outputs_that_are_missing_are_named() -> None:
    outputs = make_outputs()
    del outputs["target_mixed_logits"]
    with pytest.raises(ValueError, match=r"missing \['target_mixed_logits'\]"):
        validate(outputs)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="a validator 'entropy' already"):
        validator("entropy")(lambda target_train_logits: 0.0)
    with pytest.raises(ValueError, match="a quantity 'source_val_weights' already"):
        derived(registry.DERIVED["source_val_weights"])


def test_an_unknown_validator_is_named_with_its_nearest() -> None:
    assert find_validator("snd") is VALIDATORS["snd"]
    with pytest.raises(UserError, match="'entropy'"):
        find_validator("entrpy")


def test_each_score_is_what_the_function_gives_alone() -> None:
    outputs = make_outputs()
    weights = DERIVED["source_val_weights"](
        *(outputs[name] for name in ("source_train_features", "target_train_features", "source_val_features"))
    )
    scores = validate(outputs)
    assert list(scores) == list(VALIDATORS)
    for name, function in VALIDATORS.items():
        known = {**outputs, "source_val_weights": weights}
        assert scores[name] == function(**{key: known[key] for key in inspect.signature(function).parameters}), name


def test_scores_repeat_and_leave_random_state_and_outputs_alone() -> None:
    outputs = make_outputs()
    before = {name: tensor.clone() for name, tensor in outputs.items()}
    torch.manual_seed(3)
    state = torch.get_rng_state()
    assert validate(outputs) == validate(make_outputs())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(outputs[name], tensor) for name, tensor in before.items())


def _diverged(value: float) -> Callable[[dict[str, Tensor]], None]:
    def spoil(outputs: dict[str, Tensor]) -> None:
        for name, tensor in outputs.items():
            if tensor.is_floating_point():
                outputs[name] = torch.full_like(tensor, value)

    return spoil


def _predict_one_class(outputs: dict[str, Tensor]) -> None:
    for name, tensor in outputs.items():
        if name.endswith("logits"):
            outputs[name] = 1000 * torch.eye(CLASSES)[torch.zeros(len(tensor), dtype=torch.int64)]
        elif name.endswith("features"):
            outputs[name] = torch.ones_like(tensor)


def _grow(outputs: dict[str, Tensor]) -> None:
    for name, tensor in outputs.items():
        if tensor.is_floating_point():
            outputs[name] = tensor / tensor.abs().max() * 3e38


def _one_image(outputs: dict[str, Tensor]) -> None:
    for name, tensor in outputs.items():
        outputs[name] = torch.zeros(1, dtype=torch.int64) if name == "target_mixed_partner" else tensor[:1]


def _one_source_class(outputs: dict[str, Tensor]) -> None:
    for name in ("source_train_labels", "source_val_labels"):
        outputs[name] = torch.full_like(outputs[name], 2)


@pytest.mark.parametrize(
    "spoil", [_diverged(0.0), _diverged(7.0), _predict_one_class, _grow, _one_image, _one_source_class]
)
def test_scores_are_finite_for_odd_models_and_data(spoil: Callable[[dict[str, Tensor]], None]) -> None:
    outputs = make_outputs()
    spoil(outputs)
    scores = validate(outputs)
    assert all(FAILED <= score < 1e6 for score in scores.values()), scores
    json.dumps(scores, allow_nan=False)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_outputs_that_are_not_finite_fail_every_validator(value: float) -> None:
    outputs = make_outputs()
    for tensor in outputs.values():
        if tensor.is_floating_point():
            tensor[-1, 0] = value
    assert set(validate(outputs).values()) == {FAILED}


def test_only_validators_that_see_what_is_not_finite_fail() -> None:
    outputs = make_outputs()
    outputs["source_val_features"][0] = float("nan")
    failed = [name for name, score in validate(outputs).items() if score == FAILED]
    assert failed == ["importance-weighted", "dev-without-control-variate", "dev", "reverse"]


def test_a_collapsed_model_is_not_preferred_where_the_definition_allows() -> None:
    outputs = make_outputs()
    good = validate(outputs)
    _predict_one_class(outputs)
    bad = validate(outputs)
    # sure predictions of one class are the best by definition of these four, as their docstrings say
    fooled = {name for name in VALIDATORS if bad[name] >= good[name]}
    assert fooled == {"entropy", "confidence-mask", "snd", "consistency"}

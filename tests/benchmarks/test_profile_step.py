"""What the operators of a step belong to."""

import pytest
import torch
from profile_step import (
    BATCH,
    BETWEEN,
    ELEMENTWISE,
    MATRIX,
    MEMORY,
    NORM,
    OPTIMISER,
    RANDOM,
    STEP,
    Operator,
    describe_load,
    kind_of,
    markdown,
    profile_step,
)
from torch.profiler import record_function


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aten::mkldnn_convolution", MATRIX),
        ("aten::convolution_backward", MATRIX),
        ("aten::addmm", MATRIX),
        ("aten::native_batch_norm", NORM),
        ("aten::native_batch_norm_backward", NORM),
        ("aten::copy_", MEMORY),
        ("aten::_to_copy", MEMORY),
        ("aten::normal_", RANDOM),
        ("aten::random_", RANDOM),
        ("aten::leaky_relu_backward", ELEMENTWISE),
        ("aten::max_pool2d_with_indices", ELEMENTWISE),
        ("autograd::engine::evaluate_function: AddmmBackward0", BETWEEN),
        (STEP, BETWEEN),
    ],
)
def test_an_operator_alone_is_known_by_its_name(name: str, kind: str) -> None:
    assert kind_of([name, STEP]) == kind


def test_what_runs_in_a_range_belongs_to_it() -> None:
    assert kind_of(["aten::mul", "Optimizer.step#Adam.step", STEP]) == OPTIMISER
    assert kind_of(["aten::bmm", "aten::matmul", BATCH, STEP]) == BATCH


def test_every_call_of_a_step_is_counted_once() -> None:
    weight = torch.nn.Parameter(torch.randn(50, 50))
    adam = torch.optim.Adam([weight], foreach=False, fused=False)

    def step() -> None:
        with record_function(BATCH):
            images = torch.ones(20, 50) * 2
        torch.nn.functional.batch_norm(images @ weight, None, None, training=True).sin().sum().backward()
        adam.step()

    found = profile_step(step, steps=4, warmup=1)
    calls = {(operator.name, operator.kind): operator.calls for operator in found}
    assert calls["aten::mm", MATRIX] == 2  # forward, and backward to the weight
    assert calls["aten::native_batch_norm", NORM] == calls["aten::native_batch_norm_backward", NORM] == 1
    assert calls["aten::sin", ELEMENTWISE] == 1
    assert calls["aten::mul", BATCH] == 1
    assert calls["aten::addcdiv_", OPTIMISER] == 1
    assert ("aten::addcdiv_", ELEMENTWISE) not in calls
    assert calls[STEP, BETWEEN] == 1
    assert [operator.milliseconds for operator in found] == sorted((o.milliseconds for o in found), reverse=True)


def test_shares_are_of_all_and_add_up() -> None:
    text = markdown("title", [Operator("aten::mm", MATRIX, 3.0, 2), Operator("aten::sin", ELEMENTWISE, 1.0, 4)])
    assert "| matrix work | 3.00 | 75.0 % |" in text
    assert "| all | 4.00 | 100 % |" in text
    assert "| `aten::sin` | elementwise, pooling and losses | 4 | 1.00 | 25.0 % |" in text


def test_a_busy_machine_is_told_of() -> None:
    assert describe_load(0.5, 2) == "Load of the machine when this began: 0.5 on 2 cores.\n"
    assert describe_load(9.6, 2).endswith(
        "9.6 on 2 cores; other work stretched the milliseconds, read the shares alone.\n"
    )

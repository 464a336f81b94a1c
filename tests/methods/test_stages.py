"""Stages: begun once, at their first step, in a resumed run too; each with a schedule of its own."""

import pytest
import torch

from tests.methods.test_update import TASK
from uda.data.augmentation import Augmentation
from uda.data.batches import Batches
from uda.methods.supervised import SourceOnly, SupervisedConfig
from uda.training.updates import Updates


class TwoStages(SourceOnly):
    def __init__(self):
        super().__init__(SupervisedConfig(width=2, learning_rate=0.1), TASK)
        self.calls = []

    @property
    def starts(self):
        return (0, 4)

    def begin_stage(self, stage, batches):
        self.calls.append(("begin", stage))

    def refresh(self, step, batches):
        self.calls.append(("refresh", step))


def updates_of(method):
    images = torch.randint(0, 256, (8, *TASK.source_shape), dtype=torch.uint8)
    return Updates(method, Batches(images, torch.arange(8) % 3, images, 4, Augmentation(), 1), "fp32", 1)


def test_each_stage_is_begun_once_before_its_first_update():
    method = TwoStages()
    updates = updates_of(method)
    changed = [updates.prepare(step) for step in range(6)]
    assert changed == [True, False, False, False, True, False]
    begun = [("begin", 0), *(("refresh", k) for k in range(4)), ("begin", 1), ("refresh", 4), ("refresh", 5)]
    assert method.calls == begun


@pytest.mark.parametrize(("step", "calls"), [(4, [("begin", 1), ("refresh", 4)]), (5, [("refresh", 5)])])
def test_a_resumed_run_begins_a_stage_only_where_it_had_not_yet(step, calls):
    method = TwoStages()
    assert updates_of(method).prepare(step)
    assert (method.calls, method.stage) == (calls, 1)


def test_the_schedule_begins_anew_with_each_stage():
    method = TwoStages()
    rates = []
    for step in (0, 2, 4, 7):
        method.schedule(step)
        rates.append(method.optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([0.1, 0.05, 0.1, 0.05])

"""What validators are shown: the same images in every run, their outputs in one order, and no target label."""

from dataclasses import replace

import torch

from uda.data.protocols import load_task
from uda.methods import METHODS, TaskShape
from uda.metrics.validators import VISIBLE
from uda.metrics.validators.mixing import MIX
from uda.training.validation import draw_validation_images, fixed_sample, validation_outputs


def test_samples_are_the_same_each_time_and_mixed_as_said(pair, tmp_path):
    task = load_task("embedded", pair[0], pair[1], tmp_path)
    torch.manual_seed(1)
    first = draw_validation_images(task)
    torch.manual_seed(2)
    second = draw_validation_images(task)
    assert all(torch.equal(getattr(first, name), getattr(second, name)) for name in vars(first))
    partner = first.target_train[first.target_partner]
    by_hand = (MIX * first.target_train.float() + (1 - MIX) * partner.float()).round()
    torch.testing.assert_close(first.target_mixed.float(), by_hand)
    assert sorted(first.target_partner.tolist()) == list(range(len(task.target_train)))
    assert not torch.equal(first.target_moved, first.target_train)


def test_splits_of_equal_length_are_sampled_at_the_same_places(pair, tmp_path):
    task = load_task("embedded", pair[0], pair[1], tmp_path)
    restyled = replace(task, target_train=255 - task.source_train.images)
    drawn = draw_validation_images(restyled)
    assert torch.equal(drawn.target_train, 255 - drawn.source_train)
    # in an order that stored scores depend on
    assert fixed_sample(10).tolist() == [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]
    assert fixed_sample(10, 3).tolist() == [4, 1, 7]


def test_outputs_are_those_of_the_model_on_those_images(pair, tmp_path):
    task = load_task("embedded", pair[0], pair[1], tmp_path)
    _, channels, height, width = task.target_train.shape
    shape = channels, height, width
    kind = METHODS["unit"]
    method = kind(kind.Config(width=2), TaskShape(shape, shape, 3, 10)).eval()
    images = draw_validation_images(task)
    outputs = validation_outputs(method, images)
    assert set(outputs) == set(VISIBLE)
    with torch.no_grad():
        for name, seen, source in (
            ("source_val_logits", images.source_val, True),
            ("target_train_logits", images.target_train, False),
            ("target_augmented_logits", images.target_moved, False),
            ("target_mixed_logits", images.target_mixed, False),
        ):
            floats = seen.float() / 127.5 - 1.0
            by_hand = method.predict_source(floats) if source else method.predict(floats)
            torch.testing.assert_close(outputs[name], by_hand)
        torch.testing.assert_close(
            outputs["target_train_features"], method.features(images.target_train.float() / 127.5 - 1.0)
        )

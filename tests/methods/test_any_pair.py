"""Any method with a backbone trains through all its stages with any of them, on a grey and a colour domain."""

import pytest
import torch

from uda.data.augmentation import Augmentation
from uda.data.batches import Batches
from uda.methods import METHODS, TaskShape
from uda.methods.backbones import BACKBONES
from uda.methods.classifier import ClassifierConfig
from uda.training.updates import Updates

#: Enough that a method of three stages begins them all.
STEPS = 6
WITH_BACKBONE = sorted(name for name, method in METHODS.items() if issubclass(method.Config, ClassifierConfig))


@pytest.mark.parametrize("backbone", sorted(BACKBONES))
@pytest.mark.parametrize("name", WITH_BACKBONE)
def test_all_stages_with_any_backbone_where_one_domain_is_grey(name: str, backbone: str) -> None:
    torch.manual_seed(0)
    source, target = (3, 16, 16), (1, 16, 16)
    if backbone == "unit":
        source, target = target, source
    images = [torch.randint(0, 256, (6, *shape), dtype=torch.uint8) for shape in (source, target)]
    method = METHODS[name](
        METHODS[name].Config(backbone=backbone, width=2), TaskShape(source, target, 3, STEPS)
    ).train()
    if method.sees_target_labels:
        method.receive_target_labels(torch.arange(6) % 3)
    batches = Batches(images[0], torch.arange(6) % 3, images[1], 6, Augmentation(), 1, second_view=method.second_view)
    updates = Updates(method, batches, "fp32", 1)
    for step in range(STEPS):
        updates.make(step)
    updates.means(STEPS)  # refuses what is not finite
    assert method.stage == len(method.starts) - 1
    method.eval()
    for domain, shape in ((True, source), (False, target)):
        features, logits = method.outputs(torch.rand(2, *shape), source=domain)
        assert logits.shape == (2, 3)
        assert bool(features.isfinite().all() and logits.isfinite().all())

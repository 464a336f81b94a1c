"""What shallow methods share: the source stage, the sample, the classifier, what is kept, and that it helps."""

import copy
import io
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from tests.methods.by_hand import resumes_in_the_same_bits
from tests.methods.rotated import COUNT, fitted, pixels, rotated
from uda.data.augmentation import Augmentation, to_float
from uda.data.batches import Batches
from uda.errors import UserError
from uda.methods import METHODS, TaskShape
from uda.methods.shallow import NEVER, ShallowConfig, library, linear_classifier
from uda.training.updates import Updates

SHALLOW = sorted(name for name, method in METHODS.items() if method.kind == "shallow")
SMALL = (1, 16, 16)
STEPS = 5


def build(name: str, steps: int = STEPS, backbone: str = "dtn", **settings: Any) -> Any:
    torch.manual_seed(1)
    return METHODS[name](METHODS[name].Config(backbone=backbone, **settings), TaskShape(SMALL, SMALL, 3, steps)).train()


def batches_of(count: int = 13, seed: int = 2) -> Batches:
    generator = torch.Generator().manual_seed(seed)
    source, target = torch.randint(0, 256, (2, count, *SMALL), dtype=torch.uint8, generator=generator)
    return Batches(source, torch.arange(count) % 3, target, 4, Augmentation(shift=1), 1)


def trained(method: Any, steps: int, batches: Batches | None = None) -> Any:
    updates = Updates(method, batches or batches_of(), "fp32", 1)
    for step in range(steps):
        updates.make(step)
    return method


@pytest.mark.parametrize("name", SHALLOW)
def test_the_source_stage_is_source_only_bit_for_bit_and_the_last_update_moves_nothing(name: str) -> None:
    """Its schedule ends with the stage: that of a run of source-only which is one step shorter."""
    method, source_only = build(name), build("source-only", STEPS - 1)
    trained(method, STEPS)
    trained(source_only, STEPS - 1)
    assert method.fitted.done
    assert method.training
    kept = method.state_dict()
    assert all(torch.equal(kept[key], tensor) for key, tensor in source_only.state_dict().items())


@pytest.mark.parametrize("name", SHALLOW)
def test_until_the_map_is_found_it_predicts_as_its_networks_do(name: str) -> None:
    method = trained(build(name), STEPS - 1).eval()
    images = torch.rand(4, *SMALL)
    features, logits = method.outputs(images, source=True)
    assert torch.equal(features, method.backbone(images))
    assert torch.equal(logits, method.head(features))


@pytest.mark.parametrize("name", SHALLOW)
def test_the_map_is_of_the_features_of_the_trained_networks(name: str) -> None:
    """Found anew from the features as if they were pixels, it is the same."""
    batches = batches_of()
    method = trained(build(name), STEPS, batches).eval()
    with torch.no_grad():
        source, target = (
            method.backbone(to_float(images)).double().numpy()
            for images in (batches.source_images, batches.target_images)
        )
    again = build(name)
    again.fitted.keep(again.align(source, target, batches.source_labels.numpy()))
    for key in type(method).KEPT:
        torch.testing.assert_close(again.fitted[key], method.fitted[key], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", SHALLOW)
@pytest.mark.parametrize("count", [13, 40])
def test_a_fresh_method_loads_what_was_found_and_what_was_before(name: str, count: int) -> None:
    """As a checkpoint, with fewer images than are asked for and with more."""
    before = trained(build(name, samples=20), STEPS - 1)
    early = copy.deepcopy(before.state_dict())
    method = trained(build(name, samples=20), STEPS, batches_of(count)).eval()
    file = io.BytesIO()
    torch.save(method.state_dict(), file)
    file.seek(0)
    fresh = build(name, samples=20).eval()
    fresh.load_state_dict(torch.load(file, weights_only=True))
    images = torch.rand(4, *SMALL)
    for source in (True, False):
        for ours, theirs in zip(
            fresh.outputs(images, source=source), method.outputs(images, source=source), strict=True
        ):
            assert torch.equal(ours, theirs)
    fresh.load_state_dict(early)
    assert not fresh.fitted.done
    assert torch.equal(fresh.predict(images), before.eval().predict(images))


@pytest.mark.parametrize("name", SHALLOW)
@pytest.mark.parametrize("stop", [2, STEPS - 1])
def test_resumed_anywhere_it_ends_in_the_same_bits(name: str, stop: int) -> None:
    resumes_in_the_same_bits(lambda: build(name), batches_of, stop)


@pytest.mark.parametrize("name", SHALLOW)
def test_resumed_after_the_map_was_found_it_stays(name: str) -> None:
    method = trained(build(name, on="pixels"), 2)
    resumed = build(name, on="pixels")
    resumed.load_state_dict(method.state_dict())
    one, other = Updates(method, batches_of(), "fp32", 1), Updates(resumed, batches_of(), "fp32", 1)
    one.make(2)
    other.make(2)
    assert one.means(1) == other.means(1)
    assert all(torch.equal(a, b) for a, b in zip(method.buffers(), resumed.buffers(), strict=True))


@pytest.mark.parametrize("name", SHALLOW)
def test_it_beats_a_classifier_without_a_map_on_a_turned_domain(name: str) -> None:
    batches, labels = rotated()
    source, target = pixels(batches.source_images), pixels(batches.target_images)
    weight, bias = linear_classifier(source, batches.source_labels.numpy(), 3, 1.0)
    without = ((target @ weight.T + bias).argmax(1) == labels.numpy()).mean()
    settings = {"sa": {"components": 2}, "tca": {"components": 10}}.get(name, {})
    method = fitted(name, batches, **settings)
    reached = (method.predict(to_float(batches.target_images)).argmax(1) == labels).float().mean()
    assert without < 0.6
    assert reached > without + 0.2


@pytest.mark.parametrize("preset", ["exact", "class"])
def test_so_do_the_other_plans(preset: str) -> None:
    batches, labels = rotated()
    method = fitted("ot", batches, **METHODS["ot"].presets[preset])
    assert (method.predict(to_float(batches.target_images)).argmax(1) == labels).float().mean() > 0.85


@pytest.mark.parametrize("name", SHALLOW)
@pytest.mark.parametrize(("source", "target"), [((1, 16, 16), (3, 16, 16)), ((3, 16, 16), (1, 16, 16))])
def test_pixels_of_a_grey_and_a_colour_domain(name: str, source: Any, target: Any) -> None:
    images = [torch.randint(0, 256, (9, *shape), dtype=torch.uint8) for shape in (source, target)]
    method: Any = METHODS[name](METHODS[name].Config(on="pixels"), TaskShape(source, target, 3, 1))
    trained(method, 1, Batches(images[0], torch.arange(9) % 3, images[1], 4, Augmentation(), 1)).eval()
    for domain, pictures in ((True, images[0]), (False, images[1])):
        assert method.points(to_float(pictures)).shape == (9, 3 * 16 * 16)
        assert bool(method.outputs(to_float(pictures), source=domain).logits.isfinite().all())


def test_pixels_need_one_step_and_train_nothing() -> None:
    assert all(METHODS[name].presets["pixels"] == {"on": "pixels", "steps": 1} for name in SHALLOW)
    method = build("coral", on="pixels")
    before = copy.deepcopy(method.backbone.state_dict())
    trained(method, STEPS)
    assert method.starts == (0,)
    assert all(torch.equal(before[key], tensor) for key, tensor in method.backbone.state_dict().items())


def test_a_run_of_one_step_finds_the_map_at_once() -> None:
    assert trained(build("sa", 1), 1).fitted.done


def test_the_sample_is_drawn_by_the_seed_alone_and_never_more_than_there_is() -> None:
    batches, _ = rotated()
    found = []
    for samples in (50, 50, 10_000):
        torch.rand(1)  # the global random state moves on
        method = fitted("ot", batches, samples=samples)
        found.append(method.fitted["anchors"])
    assert torch.equal(found[0], found[1])
    assert len(found[0]) == 50
    assert len(found[2]) == COUNT
    batches.seed = 2
    other = fitted("ot", batches, samples=50).fitted["anchors"]
    assert not torch.equal(found[0], other)
    everything = {tuple(row) for row in found[2].tolist()}
    assert all(tuple(row) in everything for row in other.tolist())


def problem(classes: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % classes
    return 7 + 3 * rng.normal(size=(60, 4)) + labels[:, None], labels


def test_the_classifier_is_where_the_penalised_cross_entropy_has_no_slope() -> None:
    points, labels = problem(3)
    weight, bias = linear_classifier(points, labels, 3, 0.7)
    scale = np.sqrt(points.var(0).mean())
    logits = points @ weight.T + bias
    p = np.exp(logits - logits.max(1, keepdims=True))
    error = p / p.sum(1, keepdims=True) - np.eye(3)[labels]
    slope = error.T @ (points - points.mean(0)) / scale + 0.7 * weight * scale
    assert np.abs(slope).max() < 0.01
    assert np.abs(error.sum(0)).max() < 0.01


def test_with_two_classes_the_probabilities_are_those_of_the_log_odds() -> None:
    points, labels = problem(2)
    labels = np.where(labels == 1, 3, 1)
    weight, bias = linear_classifier(points, labels, 5, 1.0)
    logits = torch.from_numpy(points @ weight.T + bias)
    scaled = (points - points.mean(0)) / np.sqrt(points.var(0).mean())
    expected = LogisticRegression(max_iter=5000).fit(scaled, labels).predict_proba(scaled)
    np.testing.assert_allclose(logits.softmax(1)[:, [1, 3]].numpy(), expected, atol=1e-6)
    assert bool((logits[:, [0, 2, 4]] == NEVER).all())


def test_a_sample_of_one_class_is_refused() -> None:
    with pytest.raises(UserError, match="all 4 source images that were drawn are of one class"):
        linear_classifier(np.eye(4), np.ones(4, np.int64), 3, 1.0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"on": "pixel"}, "did you mean 'pixels'"), ({"samples": 1}, "samples is 1"), ({"penalty": 0.0}, "penalty is 0")],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        ShallowConfig(**settings)


def test_a_package_that_is_not_there_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skada", None)
    with pytest.raises(UserError, match=r"needs the package skada: pip install -e '.\[shallow\]' in uda's folder"):
        library("skada", "skada")


@pytest.mark.parametrize(("method", "package"), [("coral", "skada"), ("sa", "skada"), ("ot", "POT")])
def test_a_package_that_is_not_there_is_asked_for_before_the_source_stage(
    method: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "skada", None)
    monkeypatch.setitem(sys.modules, "ot", None)
    monkeypatch.setitem(sys.modules, "ot.da", None)
    kind = METHODS[method]
    images, labels = torch.zeros(8, 1, 16, 16, dtype=torch.uint8), torch.arange(8) % 2
    built = kind(kind.Config(width=4), TaskShape((1, 16, 16), (1, 16, 16), 2, 10))
    with pytest.raises(UserError, match=f"needs the package {package}"):
        built.enter(0, Batches(images, labels, images, 4, Augmentation(), 1))


def test_skada_leaves_no_trace_in_the_settings_of_scikit_learn() -> None:
    """In a process of its own, which has not imported it yet."""
    code = (
        "import sklearn; before = sklearn.get_config(); from uda.methods.shallow import library; import sys; "
        "assert 'skada' not in sys.modules; library('skada', 'skada'); assert 'skada' in sys.modules; "
        "assert sklearn.get_config() == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

"""Whether translated images keep their class: counts by hand, and against the networks themselves."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from torch import Tensor

from tests.evaluation.examples import CLASSES
from uda.data.augmentation import to_float
from uda.data.domains import Split
from uda.data.protocols import TaskData, load_task
from uda.data.shaping import fit_channels
from uda.errors import UserError
from uda.evaluation import agreement
from uda.evaluation.agreement import measure_agreement, shares_kept
from uda.evaluation.interpolate import interpolate_domains
from uda.evaluation.judges import load_judge
from uda.evaluation.kept import ClassesKept, TranslatingRun, measure_classes_kept
from uda.evaluation.kept_report import write_kept
from uda.evaluation.readings import Reading, read, read_translations, way_label
from uda.evaluation.translate import translate_domains
from uda.evaluation.translators import draw_there_and_back, to_uint8
from uda.methods import Method
from uda.methods.cycada import Cycada
from uda.methods.unit import UnitMethod
from uda.training.checkpoint import load_model
from uda.training.resolve import resolve
from uda.training.run import train
from uda.training.validation import fixed_sample

SHADE = 100  # of an image: times its class


def plain_split(labels: list[int]) -> Split:
    images = torch.tensor(labels, dtype=torch.uint8).mul(SHADE).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2)
    return Split(images.contiguous(), torch.tensor(labels), CLASSES)


def read_shade(images: Tensor) -> Tensor:
    """A judge that is never wrong about a plain split."""
    return torch.eye(3)[images[:, 0, 0, 0].long() // SHADE]


def unchanged(images: Tensor, origin: int) -> Tensor:
    return images


def swapping_there(images: Tensor, origin: int) -> Tensor:
    """Draw circles as crosses and crosses as circles in the target; change nothing on the way to the source."""
    circle, cross = (to_float(torch.tensor(k * SHADE, dtype=torch.uint8)) for k in (0, 1))
    swapped = torch.where(images == circle, cross, torch.where(images == cross, circle, images))
    return swapped if origin == 0 else images


def test_a_translator_that_swaps_two_classes_keeps_the_third() -> None:
    source, target = plain_split([0] * 4 + [1] * 3 + [2] * 2), plain_split([2, 1, 1])
    readings = read_translations(swapping_there, (("one", read_shade), ("two", read_shade)), (source, target))
    assert [(r.way, r.reader, r.n) for r in readings] == [
        ((0, 1), "two", 9),
        ((0, 1, 0), "one", 9),
        ((1, 0), "one", 3),
        ((1, 0, 1), "two", 3),
    ]
    there, cycle, back, cycle_back = readings
    assert there.confusion == ((0, 4, 0), (3, 0, 0), (0, 0, 2))
    assert [there.kept, cycle.kept] == pytest.approx([100 * 2 / 9] * 2)
    expected = binomtest(2, 9).proportion_ci(method="wilson")
    assert list(there.interval) == pytest.approx([100 * expected.low, 100 * expected.high])
    assert there.shares == (0.0, 0.0, 100.0)
    assert [(f.label, f.predicted, f.share) for f in there.flips(3)] == [
        ("circle", "cross", 100.0),
        ("cross", "circle", 100.0),
    ]
    assert back.kept == 100.0
    assert back.shares == (None, 100.0, 100.0)
    assert cycle_back.confusion == ((0, 0, 0), (2, 0, 0), (0, 0, 1))


def test_a_swap_there_and_back_is_none() -> None:
    def swapping(images: Tensor, origin: int) -> Tensor:
        return swapping_there(images, 0)

    split = plain_split([0, 0, 1, 2])
    there, cycle, *_ = read_translations(swapping, (("one", read_shade), ("two", read_shade)), (split, split))
    assert (there.kept, cycle.kept) == (25.0, 100.0)


def test_flips_are_shares_of_their_class_the_largest_first() -> None:
    reading = Reading((0,), "judge", CLASSES, ((90, 6, 4), (1, 3, 0), (0, 1, 9)))
    assert [(f.label, f.predicted, f.share) for f in reading.flips(3)] == [
        ("cross", "circle", 25.0),
        ("square", "cross", 10.0),
        ("circle", "cross", 6.0),
    ]


def test_ways_are_named_by_their_domains() -> None:
    assert way_label((1,), "mnist", "usps-esl") == "USPS (ESL) test"
    assert way_label((0, 1, 0), "mnist", "usps-esl") == "MNIST → USPS (ESL) → MNIST"


def write_hazy(path: Path, colour: bool, seed: int) -> str:
    """Write a domain whose classes are brighter and brighter, but overlap: no judge of it is right throughout."""
    rng = np.random.default_rng(seed)
    arrays: dict[str, Any] = {"class_names": np.array(CLASSES)}
    for split, count in (("train", 60), ("test", 45)):
        labels = rng.integers(0, 3, count)
        brightness = (80 + 25 * labels + rng.normal(0, 25, count)).reshape(-1, *[1] * (3 if colour else 2))
        noise = rng.normal(0, 20, (count, 16, 16, 3) if colour else (count, 16, 16))
        arrays[f"{split}_images"] = (brightness + noise).clip(0, 255).astype(np.uint8)
        arrays[f"{split}_labels"] = labels
    np.savez(path, **arrays)
    return f"npz:{path}"


@dataclass(frozen=True)
class Runs:
    """Checkpoints of runs on one grey and one colour domain."""

    root: Path
    source: str
    target: str

    def make(self, method: str, steps: int = 4, pair: tuple[str, str] | None = None, **settings: Any) -> Path:
        source, target = pair or (self.source, self.target)
        overrides = {
            "steps": steps,
            "evaluate_every": steps,
            "batch_size": 16,
            "precision": "fp32",
            "width": 4,
            **settings,
        }
        config = resolve(method, source, target, protocol="standard", overrides=overrides, device="cpu")
        return train(config, self.root, self.root / "runs", device="cpu", quiet=True) / "checkpoint.pt"

    @property
    def task(self) -> TaskData:
        return load_task("standard", self.source, self.target, self.root)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    root = tmp_path_factory.mktemp("runs")
    return Runs(
        root, write_hazy(root / "grey.npz", colour=False, seed=1), write_hazy(root / "colour.npz", colour=True, seed=2)
    )


@pytest.fixture(scope="module")
def unit(runs: Runs) -> Path:
    return runs.make("unit")


@pytest.fixture(scope="module")
def judge(runs: Runs) -> Path:
    return runs.make("target-only", steps=30)


@pytest.fixture(scope="module")
def source_judge(runs: Runs) -> Path:
    return runs.make("source-only", steps=30)


def accuracy(classify: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> float:
    """In percent, of images as the networks take them."""
    with torch.no_grad():
        return 100 * int((classify(to_float(images)).argmax(1) == labels).sum()) / len(labels)


def load(path: Path) -> Method:
    return load_model(path)[0]


def test_the_judges_own_accuracy_stands_first(runs: Runs, unit: Path, judge: Path) -> None:
    kept = measure_classes_kept([unit], "last", judge, None, runs.root)
    recorded = json.loads((judge.parent / "result.json").read_text(encoding="utf-8"))["accuracy_last"]
    assert 100 / 3 < recorded < 100
    ceiling, source = kept.untranslated
    assert (ceiling.way, ceiling.kept) == ((1,), recorded)
    split = runs.task.source_val
    assert (source.way, source.kept) == ((0,), accuracy(load(judge).predict, split.images, split.labels))


def test_the_identity_keeps_exactly_what_the_judge_sees_in_real_images(runs: Runs, unit: Path, judge: Path) -> None:
    config, shape = load_model(unit)[1].config, load(unit).task.target_shape
    reader = ("judge", load_judge(judge, "target", config, shape, CLASSES).read)
    splits = runs.task.source_val, runs.task.target_test
    readings = read_translations(unchanged, (reader, reader), splits)
    real = [read((side,), reader, splits[side]).confusion for side in (0, 0, 1, 1)]
    assert [reading.confusion for reading in readings] == real
    assert real[0] != real[2], real  # so that domains that are mixed up would be seen


def test_readings_are_of_what_the_networks_draw(runs: Runs, unit: Path, judge: Path, source_judge: Path) -> None:
    method, task = load(unit), runs.task
    assert isinstance(method, UnitMethod)
    source, target = to_float(task.source_val.images), to_float(task.target_test.images)
    with torch.no_grad():
        drawn = (
            (method.core.translate(source, 0), task.source_val.labels),
            (method.core.cycle(source, 0), task.source_val.labels),
            (method.core.translate(target, 1), task.target_test.labels),
            (method.core.cycle(target, 1), task.target_test.labels),
        )
    given = measure_classes_kept([unit], "last", judge, source_judge, runs.root)
    own = measure_classes_kept([unit], "last", judge, None, runs.root)
    for kept, in_source in ((given, load(source_judge).predict), (own, method.predict_source)):
        in_target = load(judge).predict
        classifiers = in_target, in_source, in_source, in_target
        expected = [accuracy(c, to_uint8(x), labels) for c, (x, labels) in zip(classifiers, drawn, strict=True)]
        assert [reading.kept for reading in kept.runs[0].readings[-4:]] == expected
    before = runs.task.source_val
    assert own.runs[0].readings[0].kept == accuracy(method.predict_source, before.images, before.labels)
    assert given.untranslated[2].kept == accuracy(load(source_judge).predict, before.images, before.labels)
    assert len(given.runs[0].readings) == 4
    assert len(own.runs[0].readings) == 5


def test_a_sample_of_images_sorted_by_class_has_all_classes(
    runs: Runs, unit: Path, source_judge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = runs.task.source_val, runs.task.target_test
    order = source.labels.argsort()
    by_class = replace(source, images=source.images[order], labels=source.labels[order])
    seen = fixed_sample(len(order), 12)
    assert sorted(set(by_class.labels[:12].tolist())) == [0]
    assert sorted(set(by_class.labels[seen].tolist())) == [0, 1, 2]
    monkeypatch.setattr(agreement, "load_test_splits", lambda *_: ((by_class, target), ()))
    translated, real = shares_kept(unit, source_judge, runs.root, most=12)
    images, labels = by_class.images[seen], by_class.labels[seen]
    assert real == accuracy(load(source_judge).predict, images, labels)
    with torch.no_grad():
        drawn = to_uint8(load(unit).translate(to_float(images), 0))
    assert translated == accuracy(load(source_judge).predict, fit_channels(drawn, 1), labels)


def test_images_are_drawn_in_batches_as_the_grid_draws_them(runs: Runs, unit: Path) -> None:
    method = load(unit)
    assert isinstance(method, UnitMethod)
    for origin, panel in enumerate(translate_domains(unit, "last", "both", 7, runs.root)):
        whole = draw_there_and_back(method.core.translate, panel.inputs, origin)
        pieces = draw_there_and_back(method.core.translate, panel.inputs, origin, batch_size=3)
        for drawn in (whole, pieces):
            for mine, grid in zip(drawn, (panel.translations, panel.cycles), strict=True):
                # the sums of a convolution may be rounded otherwise in another batch
                assert (mine.int() - grid.int()).abs().max() <= 1


def test_a_run_on_translated_pixels_is_served_too(runs: Runs, judge: Path, source_judge: Path) -> None:
    cycada = runs.make("cycada", blocks=1)
    method = load(cycada)
    assert isinstance(method, Cycada)
    there, cycle, back, _ = measure_classes_kept([cycada], "last", judge, source_judge, runs.root).runs[0].readings
    source, target = runs.task.source_val, runs.task.target_test
    with torch.no_grad():
        drawn = method.to_target(to_float(source.images))
        again, other = method.to_source(drawn), method.to_source(to_float(target.images))
    assert there.kept == accuracy(load(judge).predict, to_uint8(drawn), source.labels)
    assert cycle.kept == accuracy(load(source_judge).predict, to_uint8(again), source.labels)
    assert back.kept == accuracy(load(source_judge).predict, to_uint8(other), target.labels)
    translators = method.to_target, method.to_source
    for origin, panel in enumerate(translate_domains(cycada, "last", "both", 9, runs.root)):
        with torch.no_grad():
            drawn = translators[origin](to_float(panel.inputs))
            assert torch.equal(panel.translations, to_uint8(drawn))
            assert torch.equal(panel.cycles, to_uint8(translators[1 - origin](drawn)))
        assert panel.reconstructions is None
    with pytest.raises(UserError, match="'cycada', has no codes to interpolate between"):
        interpolate_domains(cycada, "last", "source", 1, 3, runs.root)
    feature = runs.make("cycada", blocks=1, pixel_share=0.0)
    with pytest.raises(UserError, match=r"'cycada', does not translate images as it was set; give a run of unit"):
        measure_classes_kept([feature], "last", judge, None, runs.root)


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Write a changed copy of a checkpoint beside it."""
    values = torch.load(path, weights_only=True)
    change(values)
    copy = path.with_name(f"changed-{abs(hash(str(values['config']) + str(values['class_names'])))}.pt")
    torch.save(values, copy)
    return copy


def test_classes_are_matched_by_name(runs: Runs, unit: Path, judge: Path) -> None:
    order = [2, 0, 1]

    def reorder(values: dict[str, Any]) -> None:
        values["class_names"] = [values["class_names"][k] for k in order]
        for name in ("head.weight", "head.bias"):
            values["model"][name] = values["model"][name][order]

    usual, reordered = (
        measure_classes_kept([unit], "last", path, None, runs.root) for path in (judge, rewritten(judge, reorder))
    )
    assert usual == reordered


def configured(path: Path, **values: Any) -> Path:
    return rewritten(path, lambda checkpoint: checkpoint["config"].update(values))


def test_other_judges_are_refused(runs: Runs, unit: Path, judge: Path, source_judge: Path) -> None:
    elsewhere = write_hazy(runs.root / "elsewhere.npz", colour=False, seed=3)
    small = runs.make("target-only", pair=(elsewhere, runs.source))
    classes = rewritten(judge, lambda values: values.update(class_names=["circle", "cross", "star"]))
    cases: list[tuple[Path, Path | None, str]] = [
        (unit, None, r"is a run of unit, but images of npz:.*colour\.npz are judged by its labels; give a target-only"),
        (source_judge, None, r"learnt the images of npz:.*grey\.npz under .* to judge the target, npz:.*colour\.npz"),
        (
            configured(judge, protocol="embedded"),
            None,
            r"under protocol embedded, but .* under protocol standard; give",
        ),
        (judge, judge, r"learnt the images of npz:.*colour\.npz under .* to judge the source, npz:.*grey\.npz"),
        (judge, small, r"reads images of 28 x 28 in 1 channel, but those of npz:.*grey\.npz here are 32 x 32 in 3"),
        (classes, None, r"knows the classes circle, cross, star, not circle, cross, square"),
        (runs.root / "none.pt", None, "no such checkpoint"),
    ]
    for target, source, sentence in cases:
        with pytest.raises(UserError, match=sentence):
            measure_classes_kept([unit], "last", target, source, runs.root)


def test_other_translators_are_refused(runs: Runs, unit: Path, judge: Path, source_judge: Path) -> None:
    with pytest.raises(UserError, match=r"'source-only', does not translate images as it was set; give a run of unit"):
        measure_classes_kept([source_judge], "last", judge, None, runs.root)
    with pytest.raises(
        UserError, match=r"is of npz:.*colour\.npz to npz:.*colour\.npz, .* give checkpoints of one pair"
    ):
        measure_classes_kept([unit, configured(unit, source=runs.target)], "last", judge, None, runs.root)


@pytest.fixture(scope="module")
def measured(runs: Runs, unit: Path, judge: Path) -> ClassesKept:
    again = runs.make("unit", lambda_class=500.0)  # another run of the same name
    return measure_classes_kept([unit, again], "last", judge, None, runs.root)


def test_tables_name_judge_runs_and_ways(measured: ClassesKept, unit: Path) -> None:
    text = write_kept(measured, "text")
    assert "Judge: Target only (default), grey.npz → colour.npz, seed 1, step 30." in text
    assert "No judge of grey.npz was given: a run's own classifier reads" in text
    assert f"UNIT (default), seed 1, step 4, {unit.parent.name}:" in text
    words = " ".join(text.split())
    for reading in measured.runs[0].readings:
        low, high = reading.interval
        assert f", {reading.reader} {reading.n} {reading.kept:.2f} {low:.2f} to {high:.2f} " in words
    markdown = write_kept(measured, "md")
    assert "| &emsp;grey.npz → colour.npz → grey.npz, its own classifier | 45 |" in markdown
    assert "| Images, read by | circle | cross | square |" in markdown


def test_tables_tell_what_a_run_has_otherwise_than_its_preset(runs: Runs, judge: Path) -> None:
    narrow = load_model(runs.make("unit"))[1].config
    presets = [Path("a/checkpoint.pt"), Path("b/checkpoint.pt")]
    config = resolve("unit", runs.source, runs.target, preset="unit-cpu", overrides={"width": 4}, protocol="standard")
    reading = Reading((0,), "judge", CLASSES, ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    translating = [
        TranslatingRun(path, "last", c, 4, (reading,)) for path, c in zip(presets, (narrow, config), strict=True)
    ]
    kept = ClassesKept("standard", runs.source, runs.target, "one", "two", (reading,), tuple(translating), ())
    text = write_kept(kept, "md")
    assert "- UNIT (unit-cpu), seed 1, step 4: not as preset unit-cpu: width 4.\n" in text
    assert text.count("not as preset") == 1


def test_csv_has_a_line_for_each_reading(measured: ClassesKept) -> None:
    lines = list(csv.DictReader(io.StringIO(write_kept(measured, "csv"))))
    readings = [*measured.untranslated, *(reading for run in measured.runs for reading in run.readings)]
    assert [float(line["kept"]) for line in lines] == [reading.kept for reading in readings]
    assert [float(line["kept circle"]) for line in lines] == [reading.shares[0] for reading in readings]
    images = ["source", "source-target", "source-target-source", "target-source", "target-source-target"]
    assert [line["images"] for line in lines] == ["target", "source", *images, *images]
    assert [line["checkpoint"] for line in lines] == ["", ""] + 5 * [str(measured.runs[0].path)] + 5 * [
        str(measured.runs[1].path)
    ]
    assert lines[0]["reader"] == measured.judge
    assert lines[2]["reader"] == "its own classifier"


@pytest.fixture(scope="module")
def agreed(runs: Runs, unit: Path, source_judge: Path) -> ClassesKept:
    return measure_agreement([unit], "last", source_judge, runs.root)


def test_without_target_labels_a_source_judge_reads_images_of_both_domains(
    runs: Runs, unit: Path, source_judge: Path, agreed: ClassesKept
) -> None:
    method, task, judge = load(unit), runs.task, load(source_judge)
    assert isinstance(method, UnitMethod)
    source, target = to_float(task.source_val.images), to_float(task.target_test.images)
    with torch.no_grad():
        labels = task.source_val.labels, judge.predict_source(target).argmax(1)
        drawn = [
            way(x, k) for k, x in enumerate((source, target)) for way in (method.core.translate, method.core.cycle)
        ]
    assert not torch.equal(labels[1], task.target_test.labels)
    expected = [accuracy(judge.predict_source, to_uint8(x), labels[k // 2]) for k, x in enumerate(drawn)]
    assert [reading.kept for reading in agreed.runs[0].readings] == expected
    assert [reading.kept for reading in agreed.untranslated] == [
        accuracy(judge.predict_source, task.source_val.images, labels[0])
    ]


def test_no_target_label_is_read_without_a_judge_of_the_target(
    runs: Runs, unit: Path, source_judge: Path, agreed: ClassesKept, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = runs.task
    permuted = replace(task.target_test, labels=task.target_test.labels.roll(7))
    assert not torch.equal(permuted.labels, task.target_test.labels)
    monkeypatch.setattr("uda.evaluation.translators.load_task", lambda *arguments: replace(task, target_test=permuted))
    assert measure_agreement([unit], "last", source_judge, runs.root) == agreed


def test_a_table_without_target_labels_says_so(agreed: ClassesKept, source_judge: Path, judge: Path) -> None:
    text = " ".join(write_kept(agreed, "text").split())
    assert (
        "No target label was read. Source judge: Source only (default), grey.npz → colour.npz, seed 1, step 30" in text
    )
    assert "its own classifier" not in text
    assert "colour.npz test" not in text
    lines = list(csv.DictReader(io.StringIO(write_kept(agreed, "csv"))))
    assert {line["reader"] for line in lines} == {agreed.source_judge}
    assert len(lines) == 5


def test_who_judges_without_target_labels_learnt_the_source(runs: Runs, unit: Path, judge: Path) -> None:
    with pytest.raises(UserError, match=r"is to judge the source, npz:.*grey\.npz"):
        measure_agreement([unit], "last", judge, runs.root)

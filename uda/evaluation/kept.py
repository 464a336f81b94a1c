"""Whether translated images keep their class: classifiers of real images read them, beside real images.

A classifier that learnt the labelled images of a domain reads what a translator draws in that domain; the class that
counts is that of the image it was drawn from. Only test images are read, and nothing is learnt from what is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from torch import Tensor

from uda.data.shaping import fit_channels
from uda.evaluation.classify import Weights
from uda.evaluation.judges import load_judge
from uda.evaluation.readings import Reading, read, read_translations
from uda.evaluation.translators import Translator, load_test_splits, open_translators
from uda.methods import Method
from uda.training.config import RunConfig
from uda.training.scoring import predict_outputs

JUDGE, SOURCE_JUDGE, OWN = "judge", "source judge", "its own classifier"


@dataclass(frozen=True)
class TranslatingRun:
    """A checkpoint that translates, and what its images are taken for."""

    path: Path
    weights: Weights
    config: RunConfig
    step: int
    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class ClassesKept:
    """What some translating runs of one pair keep of the classes.

    Attributes
    ----------
    protocol, source, target
        Of all of them.
    judge, source_judge
        Who reads images in the target and in the source domain, for people. Without the former, the latter reads both;
        without the latter, each run's own classifier reads those in the source.
    untranslated
        The judges on real test images.
    runs
        In the order in which they were given.
    notes
        What must be said beside numbers that are measured on these test images.
    """

    protocol: str
    source: str
    target: str
    judge: str | None
    source_judge: str | None
    untranslated: tuple[Reading, ...]
    runs: tuple[TranslatingRun, ...]
    notes: tuple[str, ...]


def measure_classes_kept(
    paths: Sequence[Path], weights: Weights, judge: Path, source_judge: Path | None, root: Path
) -> ClassesKept:
    """Let classifiers of real images read the test images of a pair, as they are and translated.

    Parameters
    ----------
    paths
        ``checkpoint.pt`` of runs that translate, of one pair and protocol.
    weights
        Those of their last step or of their validator's pick.
    judge
        ``checkpoint.pt`` of a run that learnt from the labels of the pair's target: a target-only run, or a source-only
        run of a pair whose source it is. Its weights are those of the last step.
    source_judge
        The same for the source; where it is None, a run's own classifier of source images reads what it draws there.
    root
        The data root.

    Raises
    ------
    UserError
        For a file that is no checkpoint of ours, one that does not translate, runs of several pairs, a judge of another
        domain, protocol, image shape or classes, or missing data.
    """
    translators = open_translators(paths, weights)
    loaded, shapes = translators[0].loaded, translators[0].method.task
    config, names = loaded.config, loaded.class_names
    target = load_judge(judge, "target", config, shapes.target_shape, names)
    source = load_judge(source_judge, "source", config, shapes.source_shape, names) if source_judge else None
    splits, notes = load_test_splits(translators[0], root)
    as_target = replace(splits[0], images=fit_channels(splits[0].images, shapes.target_shape[0]))
    untranslated = [read((1,), (JUDGE, target.read), splits[1]), read((0,), (JUDGE, target.read), as_target)]
    if source:
        untranslated.append(read((0,), (SOURCE_JUDGE, source.read), splits[0]))
    runs = []
    for each in translators:
        own = OWN, partial(_read_source, each.method)
        reader = (SOURCE_JUDGE, source.read) if source else own
        readings = [] if source else [read((0,), own, splits[0])]
        readings += read_translations(each.draw, (reader, (JUDGE, target.read)), splits)
        runs.append(translating_run(each, weights, readings))
    return ClassesKept(
        protocol=config.protocol,
        source=config.source,
        target=config.target,
        judge=target.label,
        source_judge=source.label if source else None,
        untranslated=tuple(untranslated),
        runs=tuple(runs),
        notes=notes,
    )


def translating_run(translator: Translator, weights: Weights, readings: Sequence[Reading]) -> TranslatingRun:
    """Set down what the images of a translator are taken for."""
    loaded = translator.loaded
    return TranslatingRun(translator.path, weights, loaded.config, loaded.step, tuple(readings))


def _read_source(method: Method, images: Tensor) -> Tensor:
    return predict_outputs(method, images, source=True).logits

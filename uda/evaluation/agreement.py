"""Whether translated images keep their class, as far as source labels tell: no target label is read.

A classifier that learnt the source alone reads all images, in whatever domain they are drawn. It may be wrong about
real target images; but where it takes most translated images for another class than those that they come from, the
translator swaps classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from uda.data.augmentation import to_float
from uda.data.domains import Split
from uda.data.shaping import fit_channels
from uda.evaluation.classify import Weights
from uda.evaluation.judges import Read, load_judge
from uda.evaluation.kept import SOURCE_JUDGE, ClassesKept, translating_run
from uda.evaluation.readings import read, read_translations
from uda.evaluation.translators import load_test_splits, open_translator, open_translators, to_uint8
from uda.training.validation import fixed_sample


def measure_agreement(paths: Sequence[Path], weights: Weights, source_judge: Path, root: Path) -> ClassesKept:
    """Let a classifier of real source images read the test images of a pair, as they are and translated.

    Of source images the class that counts is their label; of target images it is what the classifier takes the real
    image for.

    Parameters
    ----------
    paths
        ``checkpoint.pt`` of runs that translate, of one pair and protocol.
    weights
        Those of their last step or of their validator's pick.
    source_judge
        ``checkpoint.pt`` of a run that learnt from the labels of the pair's source and of no other domain. Its weights
        are those of the last step.
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
    config = loaded.config
    judge = load_judge(source_judge, "source", config, shapes.source_shape, loaded.class_names)
    (source, target), notes = load_test_splits(translators[0], root)
    reader = SOURCE_JUDGE, _of_any_channels(judge.read, shapes.source_shape[0])
    splits = source, _labelled_by(reader[1], target)
    return ClassesKept(
        protocol=config.protocol,
        source=config.source,
        target=config.target,
        judge=None,
        source_judge=judge.label,
        untranslated=(read((0,), reader, source),),
        runs=tuple(
            translating_run(each, weights, read_translations(each.draw, (reader, reader), splits))
            for each in translators
        ),
        notes=notes,
    )


@torch.no_grad()
def shares_kept(path: Path, source_judge: Path, root: Path, most: int = 1000) -> tuple[float, float]:
    """Let a classifier of real source images read a fixed sample of source test images, translated and as they are.

    The sample is random, as files may be sorted by class.

    Parameters
    ----------
    path, source_judge, root
        As for `measure_agreement`; the weights are those of the last step.
    most
        At most so many images.

    Returns
    -------
    tuple
        Percent of the translations, and of the images themselves, that are taken for their label.

    Raises
    ------
    UserError
        As `measure_agreement`.
    """
    translator = open_translator(path, "last")
    loaded, shape = translator.loaded, translator.method.task.source_shape
    judge = load_judge(source_judge, "source", loaded.config, shape, loaded.class_names)
    (source, _), _ = load_test_splits(translator, root)
    seen = fixed_sample(len(source), most)
    real = replace(source, images=source.images[seen], labels=source.labels[seen])
    drawn = replace(real, images=to_uint8(translator.draw(to_float(real.images), 0)))
    reader = SOURCE_JUDGE, _of_any_channels(judge.read, shape[0])
    return read((0, 1), reader, drawn).kept, read((0,), reader, real).kept


def _of_any_channels(classify: Read, channels: int) -> Read:
    """Return what classifies images of other channels too: those of the other domain."""
    return lambda images: classify(fit_channels(images, channels))


def _labelled_by(classify: Read, split: Split) -> Split:
    """Return a split with what a classifier takes its images for in place of its labels."""
    return replace(split, labels=classify(split.images).argmax(1))

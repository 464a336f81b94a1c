"""Write what translations keep of the classes as plain text, Markdown or CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

from uda.evaluation.formats import markdown, plain
from uda.evaluation.kept import JUDGE, SOURCE_JUDGE, ClassesKept, TranslatingRun
from uda.evaluation.labels import domain_labels, method_label, pair_label
from uda.evaluation.parts import DASH, Column, Entry, Layout, Section
from uda.evaluation.readings import Reading, way_label
from uda.training.departures import departure_notes

Format = Literal["text", "md", "csv"]

_PLACES = ("first", "second", "third")
_WIDTH = 140
_COLUMNS = (
    *("protocol", "source", "target", "method", "preset", "seed", "weights", "step", "checkpoint"),
    *("images", "reader", "n", "kept", "low", "high", "flips"),
)


def write_kept(kept: ClassesKept, form: Format) -> str:
    """Write a measurement of `uda.evaluation.kept`.

    Parameters
    ----------
    kept
        The measurement.
    form
        ``"text"``, ``"md"``, or ``"csv"``: one line per reading, unrounded, with a column for each class; ``images``
        says the way, as in ``source-target-source``.
    """
    if form == "csv":
        return _csv(kept)
    write = markdown if form == "md" else partial(plain, width=_WIDTH)
    return "\n".join(write(layout) for layout in (_lay_out_readings(kept), _lay_out_classes(kept)))


def _lay_out_readings(kept: ClassesKept) -> Layout:
    columns = [Column(Entry("Images, read by"), wordy=True)]
    columns += [Column(Entry(name)) for name in ("n", "Kept", "95 % interval")]
    columns.append(Column(Entry("Commonest flips"), _PLACES))
    return Layout(
        title=f"Classes kept by translation, {pair_label((kept.source, kept.target))}, protocol {kept.protocol}",
        explanation=(
            "Kept: percent of the test images that are taken for the class of the real image they come from. "
            "Interval: Wilson's, for the number of images. Flips: the largest shares of a class that are taken for "
            "another.",
            _judges(kept),
        ),
        columns=tuple(columns),
        sections=_sections(kept, _summary),
        footnotes=(),
        remarks=(*_departures(kept.runs), *(f"Note: {note}." for note in kept.notes)),
    )


def _judges(kept: ClassesKept) -> str:
    """Say who read the images, and what that leaves open."""
    domain, target = domain_labels((kept.source, kept.target))
    if kept.judge is None:
        return (
            f"No target label was read. Source judge: {kept.source_judge}; it reads all images, whatever they are "
            f"drawn in. Of {target}'s images the class that counts is what it takes the real image "
            f"for, of {domain}'s their label. It may be wrong about real target images; where it takes most "
            "translations for another class, the translator swaps classes."
        )
    if kept.source_judge:
        return f"Judge: {kept.judge}. Source judge: {kept.source_judge}."
    return (
        f"Judge: {kept.judge}. No judge of {domain} was given: a run's own classifier reads what the run draws there. "
        "It learnt beside what draws, so it may know its habits."
    )


def _departures(runs: Sequence[TranslatingRun]) -> list[str]:
    """Say of each run what it has otherwise than its preset; nothing of one that departs in nothing."""
    named = zip(_headings(runs), (departure_notes(run.config) for run in runs), strict=True)
    return [f"{name}: {note}." for name, notes in named for note in notes]


def _lay_out_classes(kept: ClassesKept) -> Layout:
    names = kept.untranslated[0].class_names
    return Layout(
        title="Classes kept, class by class",
        explanation=("Percent of the test images of each class that are taken for it.",),
        columns=(Column(Entry("Images, read by"), wordy=True), *(Column(Entry(name)) for name in names)),
        sections=_sections(kept, _shares),
        footnotes=(),
        remarks=(),
    )


def _sections(kept: ClassesKept, numbers: Callable[[Reading], tuple[Entry, ...]]) -> tuple[Section, ...]:
    """Return the real images first, then each run, with what ``numbers`` says of a reading."""
    groups = [
        ("Real images", kept.untranslated),
        *zip(_headings(kept.runs), (run.readings for run in kept.runs), strict=True),
    ]
    return tuple(
        Section(heading, tuple((_named(reading, kept), *numbers(reading)) for reading in readings))
        for heading, readings in groups
    )


def _named(reading: Reading, kept: ClassesKept) -> Entry:
    return Entry(f"{way_label(reading.way, kept.source, kept.target)}, {reading.reader}")


def _headings(runs: Sequence[TranslatingRun]) -> list[str]:
    """Name runs; those that would have the same name, by their folders too."""
    names = [
        f"{method_label(r.config.method)} ({r.config.preset}), seed {r.config.seed}, step {r.step:,}" for r in runs
    ]
    count = Counter(names)
    return [
        name if count[name] == 1 else f"{name}, {run.path.parent.name}" for name, run in zip(names, runs, strict=True)
    ]


def _summary(reading: Reading) -> tuple[Entry, ...]:
    low, high = reading.interval
    flips = _flips(reading)
    return (
        Entry(f"{reading.n:,}", number=reading.n),
        Entry(f"{reading.kept:.2f}", number=reading.kept, interval=reading.interval),
        Entry(f"{low:.2f} to {high:.2f}"),
        *(Entry(flip) for flip in flips),
        *(Entry(DASH) for _ in _PLACES[len(flips) :]),
    )


def _shares(reading: Reading) -> tuple[Entry, ...]:
    return tuple(Entry(DASH) if share is None else Entry(f"{share:.1f}", number=share) for share in reading.shares)


def _flips(reading: Reading) -> list[str]:
    return [f"{flip.label} → {flip.predicted}: {flip.share:.1f} %" for flip in reading.flips(len(_PLACES))]


def _csv(kept: ClassesKept) -> str:
    text = io.StringIO(newline="")
    names = kept.untranslated[0].class_names
    writer = csv.DictWriter(text, (*_COLUMNS, *(f"kept {name}" for name in names)), lineterminator="\n", restval="")
    writer.writeheader()
    pair = {"protocol": kept.protocol, "source": kept.source, "target": kept.target}
    for reading in kept.untranslated:
        writer.writerow(pair | _line(reading, kept))
    for run in kept.runs:
        c = run.config
        about = {"method": c.method, "preset": c.preset, "seed": c.seed, "weights": run.weights, "step": run.step}
        for reading in run.readings:
            writer.writerow(pair | about | {"checkpoint": str(run.path)} | _line(reading, kept))
    return text.getvalue()


def _line(reading: Reading, kept: ClassesKept) -> dict[str, Any]:
    low, high = reading.interval
    judges = {JUDGE: kept.judge, SOURCE_JUDGE: kept.source_judge}
    shares = zip(reading.class_names, reading.shares, strict=True)
    return {
        "images": "-".join(("source", "target")[side] for side in reading.way),
        "reader": judges.get(reading.reader, reading.reader),
        "n": reading.n,
        "kept": reading.kept,
        "low": low,
        "high": high,
        "flips": ", ".join(_flips(reading)),
        **{f"kept {name}": "" if share is None else share for name, share in shares},
    }

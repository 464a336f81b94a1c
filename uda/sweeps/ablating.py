"""What each part of a method is worth: its runs with one thing changed beside its runs as they are."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy import special

from uda.errors import UserError
from uda.evaluation.figures.images import comparison_grid
from uda.evaluation.figures.style import save
from uda.evaluation.formats import markdown, plain
from uda.evaluation.labels import method_label, pair_label
from uda.evaluation.parts import DASH, Column, Entry, Layout, Section
from uda.evaluation.result import RunResult
from uda.evaluation.table import Estimate
from uda.evaluation.translate import translate_domains
from uda.sweeps.recipe import Ablation, Recipe, spell
from uda.sweeps.translations import CYCLED, TRANSLATED, Kept, can_translate
from uda.training.record import is_finished

_WIDTH = 140


@dataclass(frozen=True)
class Finding:
    """What an ablation came to.

    Attributes
    ----------
    ablation
        What was changed.
    results
        Of its runs that are finished, in the order of the recipe's seeds.
    translated, cycled
        Percent of test images that keep their class, of the runs of which it is known.
    """

    ablation: Ablation
    results: tuple[RunResult, ...]
    translated: tuple[float, ...]
    cycled: tuple[float, ...]


def find(recipe: Recipe, rows: Sequence[RunResult], kept: Kept) -> list[Finding]:
    """Return what each ablation of a recipe came to, by the rows of finished runs."""
    by_hash = {row.config_hash: row for row in rows}
    findings = []
    for ablation in recipe.ablations:
        hashes = [config.hash for config in ablation.configs if config.hash in by_hash]
        translated, cycled = (
            tuple(kept[run, images] for run in hashes if (run, images) in kept) for images in (TRANSLATED, CYCLED)
        )
        findings.append(Finding(ablation, tuple(by_hash[run] for run in hashes), translated, cycled))
    return findings


def paired(one: Finding, other: Finding) -> tuple[float, float | None] | None:
    """Compare two at the last step over the seeds that both have.

    Returns
    -------
    tuple or None
        The mean of their differences in percentage points, and half of its 95 % interval (Student's t over seeds, None
        for one seed); None where they share no seed.
    """
    by_seed = {result.seed: result.accuracy_last for result in other.results}
    differences = [r.accuracy_last - by_seed[r.seed] for r in one.results if r.seed in by_seed]
    n = len(differences)
    if n <= 1:
        return (differences[0], None) if differences else None
    half = float(special.stdtrit(n - 1, 0.975)) * statistics.stdev(differences) / math.sqrt(n)
    return statistics.fmean(differences), half


def write_ablations(recipe: Recipe, findings: Sequence[Finding], form: str) -> str:
    """Write what was found, as ``"text"`` or ``"md"``.

    Raises
    ------
    UserError
        Where no run is finished.
    """
    done = [finding for finding in findings if finding.results]
    if not done:
        raise UserError(f"{recipe.path}: no run of its ablations is finished yet; run `uda ablate {recipe.path}`")
    first = recipe.ablations[0].configs[0]
    layout = Layout(
        title=f"{method_label(first.method)} with one thing changed, {pair_label((recipe.source, recipe.target))}, "
        f"protocol {recipe.protocol}",
        explanation=(
            f"{first.steps:,} steps, batches of {first.batch_size} for each domain, {first.precision}. Accuracy on the "
            "target test split, percent, mean ± sample standard deviation over n seeds; pick: by "
            f"{first.validator}, which sees no target label.",
            "Difference: to the first row, over the seeds that both have, at the last step; ±: half of its 95 % "
            "interval (Student's t over seeds).",
            "Translated: percent of the source's test images whose translation a classifier of real target images "
            "takes for their class; and back: the same of the translation back, by a classifier of real source images.",
        ),
        columns=(
            Column(Entry("Changed"), wordy=True),
            Column(Entry("Settings"), wordy=True),
            *(Column(Entry(name)) for name in ("n", "last", "difference", "pick", "translated", "and back", "seconds")),
        ),
        sections=(Section("", tuple(_row(finding, findings[0]) for finding in findings)),),
        footnotes=(),
        remarks=(
            f"Made by: uda ablate {recipe.path}",
            f"Run on {_joined(done, 'device')}, code {_joined(done, 'code_version')}.",
        ),
    )
    return markdown(layout) if form == "md" else plain(layout, width=_WIDTH)


def draw_ablations(recipe: Recipe, runs: Path, root: Path, path: Path) -> bool:
    """Draw what each ablation's first finished run makes of the same test images; whether there was any to draw."""
    named = []
    for ablation in recipe.ablations:
        done = [c for c in ablation.configs if can_translate(c) and is_finished(runs, c)]
        if done:
            checkpoint = runs / done[0].name / "checkpoint.pt"
            (panel,) = translate_domains(checkpoint, "last", "source-to-target", 10, root)
            named.append((ablation.name, panel))
    if named:
        save(comparison_grid(named).figure, path)
    return bool(named)


def _row(finding: Finding, base: Finding) -> tuple[Entry, ...]:
    about = (Entry(finding.ablation.name), Entry(spell(finding.ablation.settings)))
    if not finding.results:
        return *about, Entry("not run"), *(Entry() for _ in range(6))
    last, pick = (
        Estimate(tuple(getattr(result, name) for result in finding.results))
        for name in ("accuracy_last", "accuracy_validator")
    )
    return (
        *about,
        Entry(f"{len(finding.results)}"),
        Entry(last.text, number=last.mean),
        Entry("" if finding is base else _difference(finding, base)),
        Entry(pick.text, number=pick.mean),
        *(Entry(Estimate(values).text if values else DASH) for values in (finding.translated, finding.cycled)),
        Entry(f"{statistics.fmean(result.seconds for result in finding.results):.0f}"),
    )


def _difference(finding: Finding, base: Finding) -> str:
    compared = paired(finding, base)
    if compared is None:
        return DASH
    mean, half = compared
    return f"{mean:+.2f}" if half is None else f"{mean:+.2f} ± {half:.2f}"


def _joined(findings: Sequence[Finding], name: str) -> str:
    return ", ".join(sorted({str(getattr(result, name)) for finding in findings for result in finding.results}))

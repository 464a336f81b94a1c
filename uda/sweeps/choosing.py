"""Settings chosen without target labels: what a validator thinks of each that was tried, and which the recipe has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from uda.errors import UserError
from uda.evaluation.formats import markdown, plain
from uda.evaluation.history import read_history
from uda.evaluation.labels import method_label, pair_label
from uda.evaluation.parts import Column, Entry, Layout, Section
from uda.sweeps.recipe import Choice, Recipe, entry_names
from uda.training.config import RunConfig

_WIDTH = 120


@dataclass(frozen=True)
class Trial:
    """One run that settings were tried in.

    Attributes
    ----------
    settings
        What was tried, beside the settings that all entries share.
    score
        The validator's at the last step, larger is better; None where the run is not finished.
    taken
        Whether the recipe has these settings.
    """

    settings: Mapping[str, Any]
    score: float | None
    taken: bool


def choice_runs(recipe: Recipe, seed: int, methods: Sequence[str] = ()) -> list[tuple[Choice, list[RunConfig]]]:
    """Return the choices of a recipe, each with its runs of a seed.

    Raises
    ------
    UserError
        For a recipe without choices, a seed that it reports, or a method that has no choice in it.
    """
    if not recipe.choices:
        raise UserError(f"{recipe.name}: no entry of the recipe has choices, a list of settings to choose from")
    if seed in {config.seed for config in recipe.configs}:
        raise UserError(f"{recipe.name}: seed {seed} is one of those it reports; choose settings on another, --seed 0")
    if strangers := sorted(set(methods).difference(*map(entry_names, recipe.choices))):
        known = ", ".join(sorted({choice.method for choice in recipe.choices}))
        raise UserError(f"{recipe.name}: there is nothing to choose for {strangers[0]}; for {known}")
    wanted = [choice for choice in recipe.choices if not methods or entry_names(choice) & set(methods)]
    return [(choice, [replace(config, seed=seed) for config in choice.configs]) for choice in wanted]


def judge(choice: Choice, configs: Sequence[RunConfig], runs: Path, validator: str) -> list[Trial]:
    """Return what each of a choice's runs was worth to a validator, the best first, unfinished ones last."""
    trials = [
        Trial(settings, _score(runs / config.name, validator), number == choice.taken)
        for number, (settings, config) in enumerate(zip(choice.tried, configs, strict=True))
    ]
    return sorted(trials, key=lambda trial: (trial.score is None, -(trial.score or 0.0)))


def _score(folder: Path, validator: str) -> float | None:
    if not (folder / "result.json").exists():
        return None
    return read_history(folder)[-1].scores[validator]


def write_choices(
    recipe: Recipe, judged: Sequence[tuple[Choice, list[Trial]]], seed: int, validator: str, form: str
) -> str:
    """Write what was tried, as ``"text"`` or ``"md"``.

    Parameters
    ----------
    recipe, seed
        Whose settings, tried on which seed.
    judged, validator
        Each choice and its trials from `judge`, and the validator that judged them.
    form
        ``"text"`` or ``"md"``.
    """
    steps = recipe.configs[0].steps
    layout = Layout(
        title=f"Settings chosen on {pair_label((recipe.source, recipe.target))}, protocol {recipe.protocol}",
        explanation=(
            f"Each method's settings, tried on seed {seed}, which is not reported; {steps:,} steps where the recipe "
            f"does not say otherwise. Score: {validator} at the last step, larger is better, compared within a method. "
            "No target label was used, and no accuracy is shown. Taken: what the recipe has.",
        ),
        columns=(
            Column(Entry("Method"), wordy=True),
            Column(Entry("Settings"), wordy=True),
            Column(Entry("Score")),
            Column(Entry("Taken")),
        ),
        sections=(Section("", tuple(row for choice, trials in judged for row in _rows(choice, trials))),),
        footnotes=(),
        remarks=(),
        ranked="of its method",
    )
    return markdown(layout) if form == "md" else plain(layout, width=_WIDTH)


def _rows(choice: Choice, trials: Sequence[Trial]) -> list[tuple[Entry, ...]]:
    label = method_label(choice.method) + ("" if choice.preset == "default" else f" ({choice.preset})")
    return [
        (
            Entry(f"{label} {place}"),
            Entry(", ".join(f"{key} = {value}" for key, value in trial.settings.items()) or "none of its own"),
            Entry("not run" if trial.score is None else f"{trial.score:.4f}", "best" if place == 1 else ""),
            Entry("taken" if trial.taken else ""),
        )
        for place, trial in enumerate(trials, start=1)
    ]

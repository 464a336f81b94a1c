"""Settings chosen without target labels: what a validator thinks of each that was tried, and which the recipe has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uda.errors import UserError, unknown
from uda.evaluation.collapse import SPREAD, collapsed
from uda.evaluation.formats import markdown, plain
from uda.evaluation.history import read_history
from uda.evaluation.labels import pair_label, preset_label
from uda.evaluation.parts import DASH, Column, Entry, Layout, Section
from uda.evaluation.scores import DECIMALS, SHOWN
from uda.evaluation.table import Estimate
from uda.methods import METHODS
from uda.sweeps.recipe import Choice, Recipe, entry_names, spell
from uda.sweeps.runner import title
from uda.training.config import RunConfig, settings_of
from uda.training.resolve import with_seed

_WIDTH = 120


@dataclass(frozen=True)
class Trial:
    """Settings that were tried, in a run of each seed.

    Attributes
    ----------
    settings
        What was tried, beside the settings that all entries share.
    scores
        By validator: at the last step of each seed's run, larger is better; empty where one is not finished.
    taken
        Whether the recipe has these settings.
    collapsed
        Whether a run has collapsed beside those of the other settings, so that it is ranked below them.
    """

    settings: Mapping[str, Any]
    scores: Mapping[str, Estimate]
    taken: bool
    collapsed: bool = False

    def score(self, validator: str) -> float:
        """Return a validator's mean over seeds; minus infinity where there is none, or it is no number."""
        mean = self.scores[validator].mean if validator in self.scores else math.nan
        return -math.inf if math.isnan(mean) else mean

    def text(self, validator: str) -> str:
        """Return the mean and the deviation over seeds of a validator's scores."""
        return self.scores[validator].text if validator in self.scores else DASH


def choice_runs(
    recipe: Recipe, seeds: Sequence[int], methods: Sequence[str] = ()
) -> list[tuple[Choice, list[list[RunConfig]]]]:
    """Return the choices of a recipe, and for all that one has tried its runs, one for each seed.

    Raises
    ------
    UserError
        For no seed, a recipe without choices, a seed that it reports, or a method that has no choice in it.
    """
    if not seeds:
        raise UserError("--seeds names no seed: give one that is not reported, --seeds 0")
    if not recipe.choices:
        raise UserError(f"{recipe.name}: no entry of the recipe has choices, a list of settings to choose from")
    if reported := sorted({config.seed for config in recipe.configs}.intersection(seeds)):
        raise UserError(
            f"{recipe.name}: seed {reported[0]} is one of those it reports; choose settings on another, --seeds 0"
        )
    if strangers := sorted(set(methods).difference(*map(entry_names, recipe.choices))):
        known = ", ".join(sorted({choice.method for choice in recipe.choices}))
        raise UserError(f"{recipe.name}: there is nothing to choose for {strangers[0]}; for {known}")
    wanted = [choice for choice in recipe.choices if not methods or entry_names(choice) & set(methods)]
    return [(choice, [[with_seed(config, seed) for seed in seeds] for config in choice.configs]) for choice in wanted]


def judge(choice: Choice, configs: Sequence[Sequence[RunConfig]], runs: Path, validator: str) -> list[Trial]:
    """Return what all that a choice has tried was worth, the best to a validator first, unfinished ones last.

    Raises
    ------
    UserError
        Where a run was not scored by that validator.
    """
    scores = [_scores([runs / config.name for config in of_seeds], validator) for of_seeds in configs]
    fallen = collapsed({number: min(each[SPREAD].values) for number, each in enumerate(scores) if SPREAD in each})
    trials = [
        Trial(settings, scores[number], number == choice.taken, number in fallen)
        for number, settings in enumerate(choice.tried)
    ]
    return sorted(trials, key=lambda trial: (trial.collapsed, -trial.score(validator)))


def shown(validator: str) -> tuple[str, ...]:
    """Return the validators that are shown where one ranks: that one first."""
    return validator, *(name for name in SHOWN if name != validator)


def _scores(folders: Sequence[Path], validator: str) -> dict[str, Estimate]:
    if not all((folder / "result.json").exists() for folder in folders):
        return {}
    last = [read_history(folder)[-1].scores for folder in folders]
    for folder, scores in zip(folders, last, strict=True):
        if validator not in scores:
            raise unknown(f"validator in {folder}", validator, scores)
    known = [name for name in (*shown(validator), SPREAD) if all(name in scores for scores in last)]
    return {name: Estimate(tuple(scores[name] for scores in last), DECIMALS) for name in known}


def write_choices(
    recipe: Recipe, judged: Sequence[tuple[Choice, list[Trial]]], seeds: Sequence[int], validator: str, form: str
) -> str:
    """Write what was tried, as ``"text"`` or ``"md"``.

    Parameters
    ----------
    recipe, seeds
        Whose settings, tried on which seeds.
    judged, validator
        Each choice and its trials from `judge`, and the validator that ranks them; others are shown beside it.
    form
        ``"text"`` or ``"md"``.
    """
    steps = recipe.configs[0].steps
    layout = Layout(
        title=f"Settings chosen on {pair_label((recipe.source, recipe.target))}, protocol {recipe.protocol}",
        explanation=(
            f"Each method's settings, tried on {_named(seeds)} not reported; {steps:,} steps where the recipe does not "
            f"say otherwise. Scores at the last step, {_over(seeds)}larger is better, compared within a method. Ranked "
            f"by {validator}; others beside it, which may differ. No target label was used, and no accuracy is shown. "
            "Taken: what the recipe has. Collapsed, which a validator may like, and so ranked below others: "
            "predictions that spread over less than half as many classes as with other settings.",
        ),
        columns=(
            Column(Entry("Method"), wordy=True),
            Column(Entry("Settings"), wordy=True),
            *(Column(Entry(name)) for name in shown(validator)),
            Column(Entry("Taken")),
        ),
        sections=(Section("", tuple(row for choice, trials in judged for row in _rows(choice, trials, validator))),),
        footnotes=(),
        remarks=tuple(_flattered([choice for choice, _ in judged], validator)),
        ranked="of its method in its column",
    )
    return markdown(layout) if form == "md" else plain(layout, width=_WIDTH)


def _tried(settings: Mapping[str, Any]) -> str:
    return spell(settings) or "none of its own"


def trial_names(wanted: Sequence[tuple[Choice, list[list[RunConfig]]]]) -> dict[str, str]:
    """Return what each run of `choice_runs` is called, by its hash: what it is, and the settings that it tries."""
    return {
        config.hash: f"{title(config)}, {_tried(settings)}"
        for choice, tried in wanted
        for settings, of_seeds in zip(choice.tried, tried, strict=True)
        for config in of_seeds
    }


def _flattered(choices: Sequence[Choice], validator: str) -> Iterator[str]:
    """Yield a sentence for each validator that is shown and that methods train on, which names them."""
    for name in shown(validator):
        flattered = [
            preset_label(choice.method, choice.preset)
            for choice in choices
            if any(name in METHODS[c.method].trains_on(settings_of(c)) for c in choice.configs)
        ]
        if flattered:
            advice = " Rank those by another --validator." if name == validator else ""
            yield f"Trained on {name}, some of what was tried: {', '.join(flattered)}.{advice}"


def _named(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]}, which is"
    return f"seeds {', '.join(map(str, seeds[:-1]))} and {seeds[-1]}, which are"


def _over(seeds: Sequence[int]) -> str:
    return "" if len(seeds) == 1 else "mean ± sample standard deviation over seeds, "


def _rows(choice: Choice, trials: Sequence[Trial], validator: str) -> list[tuple[Entry, ...]]:
    best = {name: max(trial.score(name) for trial in trials if not trial.collapsed) for name in shown(validator)}
    return [
        (
            Entry(f"{preset_label(choice.method, choice.preset)} {place}"),
            Entry(_tried(trial.settings)),
            *(
                Entry(trial.text(name), "best" if best[name] == trial.score(name) and _rankable(trial, name) else "")
                for name in shown(validator)
            ),
            Entry(_state(trial)),
        )
        for place, trial in enumerate(trials, start=1)
    ]


def _rankable(trial: Trial, validator: str) -> bool:
    return not trial.collapsed and trial.score(validator) > -math.inf


def _state(trial: Trial) -> str:
    states = {"taken": trial.taken, "not run": not trial.scores, "collapsed": trial.collapsed}
    return ", ".join(state for state, holds in states.items() if holds)

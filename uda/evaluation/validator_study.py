"""How well each validator ranks checkpoints and runs, judged by the accuracy on the target test split."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from uda.errors import UserError
from uda.evaluation.collapse import SPREAD, collapsed
from uda.evaluation.correlation import regret, spearman, weighted_spearman
from uda.evaluation.histories import History, names_of
from uda.evaluation.history import Checkpoint, pick, pickable, validators_of
from uda.evaluation.labels import method_kind, pair_order

#: What stands beside the validators for comparison: the last checkpoint of each run, whatever its scores.
LAST_STEP = "(last step)"


@dataclass(frozen=True)
class Merit:
    """How well scores rank accuracies.

    Attributes
    ----------
    spearman, weighted_spearman
        Rank correlations, -1..1; None where none is defined.
    regret
        The best accuracy of all that are compared, whether the validator may choose it or not, minus that of the
        highest score, in percentage points (`uda.evaluation.correlation.regret`); None where there was no choice.
    count
        How many rankings are averaged here, or how many things were ranked.
    """

    spearman: float | None = None
    weighted_spearman: float | None = None
    regret: float | None = None
    count: int = 0


@dataclass(frozen=True)
class Verdict:
    """One validator, on one pair or on the average over pairs.

    Attributes
    ----------
    validator
        Its name.
    checkpoints
        How it ranks the checkpoints of a run: the mean over ``count`` runs. On the average: over ``count`` pairs.
    last
        How it ranks ``count`` runs at their last step; those that train on its score are left out.
    picked
        How it ranks the same runs, each at the checkpoint that it picks there; the regret is against the best
        checkpoint of all runs.
    shared
        As ``last``, of the runs that train on no validator's score: the same for every validator.
    settings
        How it ranks, at the last step, runs of one method, preset and seed that differ in their settings: the mean over
        ``count`` such choices, those where no run trains on any validator's score.
    flattered
        How many runs were left out of ``last`` and ``picked``, as they train on its score.
    """

    validator: str
    checkpoints: Merit
    last: Merit
    picked: Merit
    shared: Merit = Merit()
    settings: Merit = Merit()
    flattered: int = 0


@dataclass(frozen=True)
class PairStudy:
    """The verdicts on one pair under one protocol, or on the average of all, best first.

    Attributes
    ----------
    protocol, source, target
        What was run; all empty for the average.
    methods
        Which methods were run, without the supervised ceiling's.
    runs
        How many runs.
    verdicts
        One for each validator, and one for `LAST_STEP`.
    collapsed
        How many runs have collapsed in the end (`uda.evaluation.collapse`) and so are ranked with no others.
    flattered
        How many of the others train on some validator's score, and so are left out where all rank the same runs.
    choices
        How many choices between settings all validators are judged by: methods and seeds that have runs of several.
    unfair
        How many others there are, where a run trains on some validator's score.
    chance
        What a setting loses that is drawn at random, in percentage points, on the average of ``choices``; None where
        there are none.
    """

    protocol: str
    source: str
    target: str
    methods: tuple[str, ...]
    runs: int
    verdicts: tuple[Verdict, ...]
    collapsed: int = 0
    flattered: int = 0
    choices: int = 0
    unfair: int = 0
    chance: float | None = None


@dataclass(frozen=True)
class Study:
    """The verdicts on each pair, and on their average.

    Attributes
    ----------
    average
        Over pairs, each counting once; a pair where a value is not defined is left out of its mean.
    pairs
        In the order of the tables.
    """

    average: PairStudy
    pairs: tuple[PairStudy, ...]


def study_validators(histories: Iterable[History]) -> Study:
    """Judge every validator that scored a run.

    Runs of the supervised ceiling are left out: nobody has them who needs a validator. Of a method that its last step
    makes, only that counts: a run of it is no choice between checkpoints.

    Raises
    ------
    UserError
        Where no run is left.
    """
    groups: dict[tuple[str, str, str], list[History]] = {}
    for history in histories:
        if method_kind(history.method) != "target-only":
            own = replace(history, checkpoints=tuple(pickable(history.checkpoints, history.method)))
            groups.setdefault((history.protocol, history.source, history.target), []).append(own)
    if not groups:
        raise UserError("there is no finished run of a method without target labels to judge validators by")
    names = names_of([history for group in groups.values() for history in group])
    keys = sorted(groups, key=lambda key: (key[0], pair_order(key[1:])))
    pairs = tuple(_study_pair(key, groups[key], names) for key in keys)
    return Study(_average(pairs, names), pairs)


@dataclass(frozen=True)
class _Choice:
    """Runs of one method, preset and seed that differ in their settings.

    Attributes
    ----------
    runs
        Those to choose between: at least two, none of them collapsed.
    compared
        Accuracies of all of them, also those that have collapsed.
    """

    runs: tuple[History, ...]
    compared: tuple[float, ...]

    @property
    def lost_by_chance(self) -> float:
        """What is lost by drawing a run."""
        return max(self.compared) - statistics.fmean(_last_accuracies(self.runs))


@dataclass(frozen=True)
class _Runs:
    """The runs of a pair.

    Attributes
    ----------
    compared
        All, which what is chosen is measured against.
    upright
        Those that have not collapsed, and so are ranked.
    neutral
        Those of them that train on no validator's score.
    choices
        Between settings of these.
    """

    compared: Sequence[History]
    upright: Sequence[History]
    neutral: Sequence[History]
    choices: Sequence[_Choice]


def _study_pair(key: tuple[str, str, str], histories: Sequence[History], names: Sequence[str]) -> PairStudy:
    fallen = collapsed({run.config_hash: run.checkpoints[-1].scores.get(SPREAD, math.nan) for run in histories})
    upright = [history for history in histories if history.config_hash not in fallen]
    neutral = [history for history in upright if not set(names) & set(history.trained_on)]
    choices = _choices(histories, upright)
    fair = [choice for choice in choices if all(run in neutral for run in choice.runs)]
    runs = _Runs(histories, upright, neutral, fair)
    verdicts = [_judge(name, runs) for name in names] + [_judge_last_step(histories)]
    return PairStudy(
        *key,
        methods=tuple(dict.fromkeys(history.method for history in histories)),
        runs=len(histories),
        verdicts=_best_first(verdicts),
        collapsed=len(fallen),
        flattered=len(upright) - len(neutral),
        choices=len(fair),
        unfair=len(choices) - len(fair),
        chance=_mean(choice.lost_by_chance for choice in fair),
    )


def _choices(histories: Iterable[History], upright: Sequence[History]) -> list[_Choice]:
    """Group runs of a pair that differ in their settings; one that has no other beside it is no choice."""
    groups: dict[tuple[str, str, int], list[History]] = {}
    for history in histories:
        groups.setdefault((history.method, history.preset, history.seed), []).append(history)
    choices = [
        _Choice(tuple(run for run in group if run in upright), tuple(_last_accuracies(group)))
        for group in groups.values()
    ]
    return [choice for choice in choices if len(choice.runs) > 1]


def _judge(validator: str, runs: _Runs) -> Verdict:
    """Judge a validator by those runs of which it scored every checkpoint."""
    scored = [run for run in runs.compared if validator in validators_of(run.checkpoints)]
    within = [_merit_within(validator, run.checkpoints) for run in scored if len(run.checkpoints) > 1]
    standing = [run for run in runs.upright if run in scored]
    ranked = [run for run in standing if validator not in run.trained_on]
    picked = [pick(run.checkpoints, validator) for run in ranked]
    shared = [run for run in ranked if run in runs.neutral]
    compared = _last_accuracies(runs.compared)
    chosen = [
        _merit(validator, _last(choice.runs), choice.compared)
        for choice in runs.choices
        if all(run in scored for run in choice.runs)
    ]
    return Verdict(
        validator,
        _mean_merit(within, len(within)),
        _merit(validator, _last(ranked), compared),
        _merit(validator, picked, [each.accuracy for run in runs.compared for each in run.checkpoints]),
        _merit(validator, _last(shared), compared),
        _mean_merit(chosen, len(chosen)),
        flattered=len(standing) - len(ranked),
    )


def _last(histories: Iterable[History]) -> list[Checkpoint]:
    return [history.checkpoints[-1] for history in histories]


def _last_accuracies(histories: Iterable[History]) -> list[float]:
    return [checkpoint.accuracy for checkpoint in _last(histories)]


def _merit_within(validator: str, run: Sequence[Checkpoint]) -> Merit:
    """Judge a validator by the checkpoints of a run, of which it picks the first of equal ones."""
    accuracies = [each.accuracy for each in run]
    return replace(_merit(validator, run, accuracies), regret=max(accuracies) - pick(run, validator).accuracy)


def _judge_last_step(histories: Sequence[History]) -> Verdict:
    """Judge the choice of the last checkpoint, which needs no score and so ranks nothing."""
    runs = [history.checkpoints for history in histories if len(history.checkpoints) > 1]
    losses = [max(each.accuracy for each in run) - run[-1].accuracy for run in runs]
    return Verdict(LAST_STEP, Merit(regret=_mean(losses), count=len(runs)), Merit(), Merit())


def _merit(validator: str, ranked: Sequence[Checkpoint], compared: Sequence[float]) -> Merit:
    scores, accuracies = [each.scores[validator] for each in ranked], [each.accuracy for each in ranked]
    lost = regret(scores, accuracies, compared)
    return Merit(spearman(scores, accuracies), weighted_spearman(scores, accuracies), lost, len(ranked))


def _average(pairs: Sequence[PairStudy], names: Sequence[str]) -> PairStudy:
    found = {name: [each for pair in pairs for each in pair.verdicts if each.validator == name] for name in names}
    found[LAST_STEP] = [each for pair in pairs for each in pair.verdicts if each.validator == LAST_STEP]

    def mean(verdicts: Sequence[Verdict], part: Callable[[Verdict], Merit]) -> Merit:
        merits = [part(verdict) for verdict in verdicts if part(verdict).regret is not None]
        return _mean_merit(merits, len(merits))

    verdicts = [
        Verdict(
            name,
            mean(each, lambda v: v.checkpoints),
            mean(each, lambda v: v.last),
            mean(each, lambda v: v.picked),
            mean(each, lambda v: v.shared),
            mean(each, lambda v: v.settings),
        )
        for name, each in found.items()
    ]
    methods = tuple(dict.fromkeys(method for pair in pairs for method in pair.methods))
    counts = {
        name: sum(getattr(p, name) for p in pairs) for name in ("runs", "collapsed", "flattered", "choices", "unfair")
    }
    chance = _mean(pair.chance for pair in pairs)
    return PairStudy("", "", "", methods, verdicts=_best_first(verdicts), chance=chance, **counts)


def _mean_merit(merits: Sequence[Merit], count: int) -> Merit:
    return Merit(
        _mean(merit.spearman for merit in merits),
        _mean(merit.weighted_spearman for merit in merits),
        _mean(merit.regret for merit in merits),
        count,
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _best_first(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Sort by the regret within runs, then by the weighted correlation; what was judged by less stands below."""

    def key(verdict: Verdict) -> tuple[int, bool, float, float]:
        merit = verdict.checkpoints
        weighted = merit.weighted_spearman
        return -merit.count, merit.regret is None, merit.regret or 0.0, -(-2.0 if weighted is None else weighted)

    return tuple(sorted(verdicts, key=key))

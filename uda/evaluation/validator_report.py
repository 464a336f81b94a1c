"""Write a study of validators as plain text, Markdown or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from uda.evaluation.formats import markdown, plain
from uda.evaluation.labels import method_label, pair_labels
from uda.evaluation.layout import Column, Entry, Layout, Section
from uda.evaluation.validator_study import LAST_STEP, Merit, PairStudy, Study, Verdict

Format = Literal["text", "md", "csv"]

_WIDTH = 120

_LAST, _PICKED = "Runs at the last step", "Runs at their picks"
_SHARED = "The same runs for all"
_SETTINGS = "Settings of a method"
_PARTS: dict[str, Callable[[Verdict], Merit]] = {
    "Checkpoints of a run": lambda verdict: verdict.checkpoints,
    _LAST: lambda verdict: verdict.last,
    _PICKED: lambda verdict: verdict.picked,
    _SHARED: lambda verdict: verdict.shared,
    _SETTINGS: lambda verdict: verdict.settings,
}
_SCOPES = dict(zip(_PARTS, ("checkpoints", "last", "picked", "shared", "settings"), strict=True))
_VALUES: dict[str, Callable[[Merit], float | None]] = {
    "Spearman": lambda merit: merit.spearman,
    "weighted": lambda merit: merit.weighted_spearman,
    "regret": lambda merit: merit.regret,
}
_COLUMNS = (
    *("protocol", "source", "target", "validator", "scope", "n"),
    *("spearman", "weighted_spearman", "regret"),
)
_MEANING = (
    "Checkpoints of a run: how a validator ranks a run's checkpoints, the mean over runs. Runs at the last step: how "
    "it ranks the runs of all methods and seeds. Runs at their picks: the same, each run at the checkpoint that the "
    "validator picks in it.",
    "Spearman: rank correlation of score and accuracy on the target test split. Weighted: that of Musgrave et al. "
    "(2022), where an item weighs (r / max r)² by the rank r of its score, so that what a validator likes counts most. "
    "Regret: the best accuracy of all that are compared, also of runs that a validator does not rank, minus that of "
    "the highest score, in percentage points; of runs with equal scores the mean, of equal checkpoints the first, as a "
    "run picks.",
)
_OF_SHARED = (
    "The same runs for all: how it ranks, at the last step, those that train on no score here, so that validators "
    "compare; without {runs}."
)
_OF_SETTINGS = (
    "Settings of a method: how it ranks runs of one method and seed that differ in their settings, at the last step; "
    "the mean over {choices}{others}. A setting of these drawn at random has a regret of {chance}."
)
_DASH = (
    "A dash: all scores or all accuracies are equal, so that there is no correlation, or there is only one to choose "
    "from. Such runs and pairs are left out of the mean."
)


def write_study(study: Study, form: Format) -> str:
    """Write the average over pairs, then each pair; of one pair there is no average.

    Parameters
    ----------
    study
        From `uda.evaluation.validator_study.study_validators`.
    form
        ``"text"``, ``"md"``, or ``"csv"``: one line per pair, validator and scope, unrounded.
    """
    average = (study.average,) if len(study.pairs) > 1 else ()
    if form == "csv":
        return _csv((*average, *study.pairs))
    write = markdown if form == "md" else partial(plain, width=_WIDTH)
    parts = [_lay_out_average(study)] if average else []
    labels = pair_labels((pair.source, pair.target) for pair in study.pairs)
    parts += [_lay_out_pair(pair, labels[pair.source, pair.target], explained=not average) for pair in study.pairs]
    return "\n".join(write(part) for part in parts)


def _lay_out_average(study: Study) -> Layout:
    count = len(study.pairs)
    methods = ", ".join(method_label(method) for method in study.average.methods)
    facts = f"The mean over {count} pairs, each counting once; {study.average.runs} runs of {methods}. n: pairs."
    title = f"Validators on the average of {count} pairs"
    remarks = [_DASH, *_remark_on_missing(study.average, "pairs"), *_remark_on_left_out(*study.pairs)]
    return _lay_out(study.average, title, (facts, *_meaning(study.average)), remarks)


def _lay_out_pair(pair: PairStudy, label: str, explained: bool) -> Layout:
    methods = ", ".join(method_label(method) for method in pair.methods)
    facts = f"{_count(pair.runs, 'run')} of {methods}. n: runs."
    explanation = (facts, *(_meaning(pair) if explained else _on_parts(pair)))
    title = f"Validators on {label}, protocol {pair.protocol}"
    remarks = [_DASH, *_remark_on_left_out(pair)] if explained else []
    return _lay_out(pair, title, explanation, [*remarks, *_remark_on_missing(pair, "runs")])


def _meaning(study: PairStudy) -> tuple[str, ...]:
    return *_MEANING, *_on_parts(study), f"In the order of the regret within runs. {LAST_STEP}: no validator."


def _on_parts(study: PairStudy) -> tuple[str, ...]:
    """Explain what is not shown everywhere."""
    said = []
    if study.flattered:
        said.append(_OF_SHARED.format(runs=_count(study.flattered, "run")))
    if study.choices:
        choices = _count(study.choices, "such choice")
        others = f", without {study.unfair} where a run trains on a score here" if study.unfair else ""
        said.append(_OF_SETTINGS.format(choices=choices, others=others, chance=_text(study.chance)))
    return tuple(said)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _remark_on_missing(study: PairStudy, what: str) -> list[str]:
    counts = {verdict.validator: verdict.checkpoints.count for verdict in study.verdicts}
    most = max(counts.values())
    fewer = [name for name, count in counts.items() if count < most]
    text = f"Judged by fewer {what} than the others, because not all runs logged them: {', '.join(fewer)}."
    return [text] if fewer else []


def _remark_on_left_out(*pairs: PairStudy) -> list[str]:
    names = dict.fromkeys(v.validator for pair in pairs for v in pair.verdicts if v.flattered)
    text = f"Runs that train on a score are not ranked by it, so that there are fewer: {', '.join(names)}."
    fallen = sum(pair.collapsed for pair in pairs)
    said = (
        f"{fallen} run{'s have' if fallen > 1 else ' has'} collapsed and {'are' if fallen > 1 else 'is'} ranked with "
        "no others: predictions that spread over less than half as many classes as those of the most even run, which a "
        "validator may like."
    )
    return [*([text] if names else []), *([said] if fallen else [])]


def _lay_out(study: PairStudy, title: str, explanation: Sequence[str], remarks: Sequence[str]) -> Layout:
    parts = _parts(study)
    columns = [Column(Entry("Validator"), wordy=True), *(Column(Entry(heading), (*_VALUES, "n")) for heading in parts)]
    best = {(part, value): _best(study, part, value) for part in parts for value in _VALUES}
    rows = [
        (Entry(verdict.validator), *(entry for part in parts for entry in _entries(part, verdict, best)))
        for verdict in study.verdicts
    ]
    return Layout(
        title=title,
        explanation=tuple(explanation),
        columns=tuple(columns),
        sections=(Section("", tuple(rows)),),
        footnotes=(),
        remarks=tuple(remarks),
    )


def _parts(study: PairStudy) -> tuple[str, ...]:
    """Return what is shown of validators: of settings nothing, where there is no choice between any.

    Nor of the same runs for all, where those at the last step are.
    """
    shown = {_SHARED: study.flattered, _SETTINGS: study.choices}
    return tuple(part for part in _PARTS if shown.get(part, True))


def _entries(part: str, verdict: Verdict, best: dict[tuple[str, str], str]) -> list[Entry]:
    merit = _PARTS[part](verdict)
    texts = {value: _text(read(merit)) for value, read in _VALUES.items()}
    entries = [Entry(text, "best" if text == best[part, value] else "") for value, text in texts.items()]
    return [*entries, Entry(str(merit.count) if merit.count else "–")]


def _best(study: PairStudy, part: str, value: str) -> str:
    """Return the best value as shown, among validators that were judged by as much as any; empty for no value."""
    # what a validator does not rank, as it trains on its score, is no reason to have it judged by less
    own = part in (_LAST, _PICKED)
    merits = [(_PARTS[part](verdict), verdict.flattered if own else 0) for verdict in study.verdicts]
    most = max(merit.count + others for merit, others in merits)
    known = [_VALUES[value](merit) for merit, others in merits if merit.count + others == most]
    shown = [number for number in known if number is not None]
    return _text((min if value == "regret" else max)(shown)) if shown else ""


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value + 0.0:.2f}"


def _csv(studies: Sequence[PairStudy]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for study in studies:
        where = (study.protocol, study.source, study.target) if study.protocol else ("", "all", "all")
        for verdict in study.verdicts:
            for part in _parts(study):
                merit = _PARTS[part](verdict)
                values = (merit.spearman, merit.weighted_spearman, merit.regret)
                writer.writerow([*where, verdict.validator, _SCOPES[part], merit.count, *values])
    return text.getvalue()

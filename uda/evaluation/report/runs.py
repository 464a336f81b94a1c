"""Every run of a report: a table of them, and each one's config and the command that makes it again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from uda.evaluation.labels import pair_labels
from uda.evaluation.parts import DASH
from uda.evaluation.report.markup import Html, element, joined
from uda.evaluation.report.records import RunRecord
from uda.evaluation.report.tables import cell, plain_table
from uda.evaluation.result import ACCURACIES

_HEADS = ("Run", "Pair", "Method", "Seed", "Last", "Pick", "Oracle", "Steps", "Seconds")


def runs_table(records: Sequence[RunRecord]) -> Html:
    """Build the table: one row per run, its name a link to its details."""
    labels = _labels(records)
    rows = [_row(record, labels[record.result.pair]) for record in records]
    return plain_table("All runs", _HEADS, rows, numbers=6)


def _labels(records: Sequence[RunRecord]) -> dict[tuple[str, str], str]:
    return pair_labels(record.result.pair for record in records)


def _row(record: RunRecord, pair: str) -> list[Html]:
    run = record.result
    name = element("a", element("code", run.config_hash), href=f"#{_anchor(record)}")
    return [
        cell(name, run.config_hash, head=True),
        cell(pair),
        cell(record.label),
        cell(str(run.seed), run.seed),
        *(_accuracy(getattr(run, name)) if run.scored else cell(DASH) for name in ACCURACIES),
        cell(f"{run.steps:,}", run.steps),
        cell(f"{run.seconds:,.0f}", run.seconds),
    ]


def _accuracy(value: float) -> Html:
    return cell(f"{value:.2f}", value)


def run_details(records: Sequence[RunRecord]) -> Html:
    """Build one folded block per run."""
    labels = _labels(records)
    return joined(_details(record, labels[record.result.pair]) for record in records)


def _details(record: RunRecord, pair: str) -> Html:
    run = record.result
    command, reason = record.command
    summary = [
        element("code", run.config_hash),
        element("span", f"{record.label}, {pair}, seed {run.seed}"),
    ]
    again = element("pre", element("code", command)) if command else element("p", f"No command: {reason}.")
    parts = [element("h4", "Makes it again"), again]
    if record.typed and record.typed != command:
        parts += [element("h4", "Was typed"), element("pre", element("code", record.typed))]
    if record.config:
        text = json.dumps(record.config, indent=2, ensure_ascii=False)
        parts += [element("h4", "Config"), element("pre", element("code", text))]
    parts.append(element("p", f"{record.device}; {run.precision}; code {run.code_version}.", class_="note"))
    body = element("div", *parts, id=_anchor(record))  # inside: browsers unfold what holds the target of a link
    return element("details", element("summary", joined(summary, " ")), body, class_="run")


def _anchor(record: RunRecord) -> str:
    return f"run-{record.result.config_hash}"

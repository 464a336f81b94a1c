"""CSV with one line per method and pair, unrounded: for spreadsheets and plots."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from uda.evaluation.comparability import published_notes
from uda.evaluation.folders import MissingRun
from uda.evaluation.published import PublishedResult, published_name
from uda.evaluation.ranking import Which, estimate
from uda.evaluation.significance import Detail, Significance, compare, details
from uda.evaluation.table import Cell, Row, Table

_ACCURACIES: tuple[Which, ...] = ("last", "pick", "oracle")
_TESTED: tuple[Which, ...] = ("last", "pick")

COLUMNS = (
    *("section", "kind", "protocol", "method", "source", "target", "n", "steps", "validator", "precision", "n_test"),
    *(f"{which}_{what}" for which in _ACCURACIES for what in ("mean", "std", "low", "high")),
    *(
        f"{which}_{what}"
        for which in _TESTED
        for what in ("minus_best", "p_best", "minus_source_only", "p_source_only")
    ),
    *("last_minus_best_low", "last_minus_best_high", "last_mcnemar_best"),
    *("published", "published_std", "reference", "notes"),
)


def tidy_csv(tables: Iterable[tuple[Table, Sequence[PublishedResult]]], broken: Sequence[str] = ()) -> str:
    """Write one line per method and pair; published results follow ours, and what could not be read comes last.

    ``low`` and ``high`` are the ends of Wilson's 95 % interval; ``minus`` is a difference over shared seeds, ``p`` its
    p adjusted as `uda.evaluation.significance.compare` does, empty over one seed, which is not tested. At the last step
    there are the paired bootstrap's interval of the difference to the best too, and McNemar's exact p of each shared
    seed, which is of two checkpoints and not adjusted.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for table, published in tables:
        writer.writerows(_our_lines(table))
        writer.writerows(_published_lines(table, published))
    writer.writerows({"section": "broken", "notes": sentence} for sentence in broken)
    return text.getvalue()


def _our_lines(table: Table) -> Iterator[dict[str, Any]]:
    significance = compare(table)
    detailed = details(table, significance, "last")
    for number, row in enumerate(table.rows):
        for pair in table.pairs:
            missing = row.missing.get(pair, ())
            shared = {"section": "ours", "kind": row.kind, "protocol": table.protocol, "method": row.label}
            shared |= {"source": pair[0], "target": pair[1]}
            if pair in row.cells:
                tests = _tests(significance, number, pair) | _detail(detailed.get((number, pair, "last", "best")))
                yield {**shared, **_numbers(row.cells[pair]), **tests, "notes": _notes(row, pair, missing)}
            elif missing:
                yield {**shared, "n": 0, "notes": _notes(row, pair, missing)}


def _numbers(cell: Cell) -> dict[str, Any]:
    first = cell.runs[0]
    line: dict[str, Any] = {name: getattr(first, name) for name in ("steps", "validator", "precision", "n_test")}
    line["n"] = len(cell.runs)
    for which in _ACCURACIES:
        found = estimate(cell, which)
        low, high = cell.interval(found)
        std = "" if found.std is None else found.std
        line |= {f"{which}_mean": found.mean, f"{which}_std": std, f"{which}_low": low, f"{which}_high": high}
    return line


def _tests(significance: Significance, number: int, pair: tuple[str, str]) -> dict[str, Any]:
    line: dict[str, Any] = {}
    for which in _TESTED:
        best = significance.comparisons.get((number, pair, which, "best"))
        if best:
            line |= {f"{which}_minus_best": best.difference, f"{which}_p_best": best.adjusted}
        source_only = significance.comparisons.get((number, pair, which, "source-only"))
        if source_only:
            line[f"{which}_minus_source_only"] = source_only.difference
            line[f"{which}_p_source_only"] = source_only.adjusted
    return line


def _detail(detail: Detail | None) -> dict[str, Any]:
    if detail is None:
        return {}
    low, high = detail.interval
    exact = " ".join(f"{p:.4g}" for p in detail.mcnemar)
    return {"last_minus_best_low": low, "last_minus_best_high": high, "last_mcnemar_best": exact}


def _notes(row: Row, pair: tuple[str, str], missing: Iterable[MissingRun]) -> str:
    notes = row.cells[pair].notes if pair in row.cells else ()
    return "; ".join([*notes, *(f"seed {run.seed}: {run.reason}" for run in missing)])


def _published_lines(table: Table, published: Iterable[PublishedResult]) -> Iterator[dict[str, Any]]:
    for pair in table.pairs:
        name = published_name(pair[0]), published_name(pair[1])
        for result in published:
            if (result.source, result.target) == name:
                yield {
                    "section": "published",
                    "protocol": result.protocol,
                    "method": result.method,
                    "source": result.source,
                    "target": result.target,
                    "published": result.accuracy,
                    "published_std": result.std,
                    "reference": result.citation,
                    "notes": "; ".join(published_notes(table.protocol, pair, result)),
                }

"""From runs to the text of their tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from uda.errors import UserError
from uda.evaluation.brief import lay_out_brief
from uda.evaluation.cost import lay_out_cost
from uda.evaluation.counterparts import lay_out_counterparts
from uda.evaluation.explanation import HEADLINES
from uda.evaluation.folders import MissingRun
from uda.evaluation.formats import html, latex, markdown, plain, tidy_csv
from uda.evaluation.layout import Headline, lay_out
from uda.evaluation.paper import lay_out_as_paper
from uda.evaluation.parts import Layout
from uda.evaluation.published import Selection, select_published
from uda.evaluation.result import RunResult
from uda.evaluation.table import build_tables

Format = Literal["md", "latex", "html", "csv", "text"]
Arrangement = Literal["methods", "brief", "paper", "cost", "counterparts"]

_WRITERS: dict[str, Callable[[Layout], str]] = {"md": markdown, "latex": latex, "html": html}


def write_tables(
    results: Iterable[RunResult],
    form: Format = "text",
    published: Selection = "main",
    headline: Headline = "last",
    *,
    arrangement: Arrangement = "methods",
    missing: Iterable[MissingRun] = (),
    broken: Sequence[str] = (),
    width: int = 100,
) -> str:
    """Write the tables of some runs, one per protocol, each with the published results of its pairs.

    Parameters
    ----------
    results
        From `uda.evaluation.runs.find_runs`.
    form
        ``"md"``, ``"latex"``, ``"html"``, ``"csv"`` (tidy: one line per method and pair) or ``"text"``.
    published
        Which published results stand below ours.
    headline
        Whether the accuracy at the last step or at the validator's pick stands first.
    arrangement
        ``"methods"``: methods by pairs; ``"brief"``: with one accuracy for each, no tests and nothing published;
        ``"paper"``: as UNIT's table, which has its own published results; ``"cost"``:
        seconds and steps a second; ``"counterparts"``: each method beside its own published number. CSV has
        none but ``"methods"``; protocols without a finished run have no ``"brief"`` or ``"cost"``.
    missing, broken
        From `uda.evaluation.runs.find_runs`: what has no result, and what could not be read.
    width
        Of plain text, in characters.

    Raises
    ------
    UserError
        For CSV in an arrangement, and for runs that cannot stand in one table; see
        `uda.evaluation.table.build_tables`, `uda.evaluation.paper.lay_out_as_paper` and
        `uda.evaluation.counterparts.lay_out_counterparts`.
    """
    tables = [(table, select_published(table.pairs, published)) for table in build_tables(results, missing)]
    if form == "csv":
        if arrangement != "methods":
            raise UserError(
                f"--layout {arrangement}: CSV has a line for each method and pair and no layout; leave it out"
            )
        return tidy_csv(tables, broken)
    with_runs = [table for table, _ in tables if table.runs]
    if arrangement == "paper":
        layouts = lay_out_as_paper([table for table, _ in tables], headline, broken)
    elif arrangement == "brief":
        layouts = [lay_out_brief(table, headline, broken) for table in with_runs]
    elif arrangement == "cost":
        layouts = [lay_out_cost(table, broken) for table in with_runs]
    elif arrangement == "counterparts":
        layouts = lay_out_counterparts([table for table, _ in tables], HEADLINES[headline], broken)
    else:
        layouts = [lay_out(table, rows, headline, broken) for table, rows in tables]
    if form == "text":
        return "\n".join(plain(layout, width) for layout in layouts)
    return "\n".join(_WRITERS[form](layout) for layout in layouts)

"""From runs to the text of their tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from uda.evaluation.formats import latex, markdown, plain, tidy_csv
from uda.evaluation.layout import Headline, lay_out
from uda.evaluation.published import Selection, select_published
from uda.evaluation.runs import RunResult
from uda.evaluation.table import build_tables

Format = Literal["md", "latex", "csv", "text"]

_WRITERS = {"md": markdown, "latex": latex, "text": plain}


def write_tables(
    results: Iterable[RunResult], form: Format = "text", published: Selection = "main", headline: Headline = "last"
) -> str:
    """Write the tables of some runs, one per protocol, each with the published results of its pairs.

    Parameters
    ----------
    results
        From `uda.evaluation.runs.find_runs`.
    form
        ``"md"``, ``"latex"``, ``"csv"`` (tidy: one line per method and pair) or ``"text"``.
    published
        Which published results stand below ours.
    headline
        Whether the accuracy at the last step or at the validator's pick stands first.

    Raises
    ------
    UserError
        For runs that cannot stand in one table; see `uda.evaluation.table.build_tables`.
    """
    tables = [(table, select_published(table.pairs, published)) for table in build_tables(results)]
    if form == "csv":
        return tidy_csv(tables)
    return "\n".join(_WRITERS[form](lay_out(table, rows, headline)) for table, rows in tables)

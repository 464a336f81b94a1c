"""The tables of all that a search found: accuracies, and label-free scores of what has none."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from uda.evaluation.layout import Headline
from uda.evaluation.published import Selection
from uda.evaluation.runs import FoundRuns
from uda.evaluation.scores import write_scores
from uda.evaluation.write import Arrangement, Format, write_tables


def write_found(
    found: FoundRuns,
    form: Format = "text",
    published: Selection = "main",
    headline: Headline = "last",
    arrangement: Arrangement | Literal["scores"] = "methods",
    width: int = 100,
) -> str:
    """Write the tables of what was found, one per protocol, and one per pair where there is no accuracy.

    Parameters
    ----------
    found
        From `uda.evaluation.runs.find_runs`.
    form, published, headline, width
        As for `uda.evaluation.write.write_tables`. CSV has accuracies alone, where there are any.
    arrangement
        Of accuracies, as there; ``"cost"`` shows what all runs cost, and ``"scores"`` label-free scores of all.

    Raises
    ------
    UserError
        As `uda.evaluation.write.write_tables` and `uda.evaluation.scores.write_scores` do.
    """
    if arrangement == "scores":
        return write_scores(found, form, width)
    if arrangement == "cost":
        found = replace(found, results=(*found.results, *found.unscored), unscored=())
    texts = []
    if found.results or not found.unscored:
        tables = write_tables(
            found.results,
            form,
            published,
            headline,
            arrangement=arrangement,
            missing=found.missing,
            broken=found.broken,
            width=width,
        )
        texts.append(tables)
    if found.unscored and not (texts and form == "csv"):
        texts.append(write_scores(replace(found, results=(), broken=()), form, width))
    return "\n".join(texts)

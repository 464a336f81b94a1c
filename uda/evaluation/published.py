"""Numbers from the literature, each with the protocol it was measured under and where it was taken from."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Literal

Selection = Literal["main", "all", "none"]

# The rows of the papers that this field's digit tables usually repeat, in the order of a table.
MAIN = (
    "Source only (DANN)",
    "Source only (CyCADA)",
    "DANN",
    "DANN (as in ADDA protocol)",
    "CoGAN",
    "CoGAN (full, as quoted in UNIT)",
    "UNIT",
    "UNIT (re-run by UDAR authors)",
    "ADDA",
    "PixelDA",
    "CyCADA",
    "MCD",
    "CDAN+E",
    "Self-ensembling (best)",
    "DIRT-T (instance norm)",
    "SHOT (paper)",
    "Target only (DANN)",
    "Target only (CyCADA)",
    "Target only (PixelDA)",
)

# Our domains that are another form of one that papers name.
ALIASES = {"usps-esl": "usps", "usps-cogan": "usps"}


@dataclass(frozen=True)
class PublishedResult:
    """One number of one paper.

    Attributes
    ----------
    method
        As we label it, with the reporting paper in brackets where it is not the method's own.
    year
        Of the report.
    source, target
        The pair, in the names of our domains.
    accuracy
        Target test accuracy in percent, as printed.
    std
        Standard deviation as printed; empty where there is none.
    protocol
        ``full``, ``small`` or ``svhn-extra``.
    notes
        What else must be known, e.g. ``best-on-target-test``; may be empty.
    provenance
        ``quoted`` from a paper, ``authors``' code or logs, or somebody else's ``rerun``.
    paper, reference
        Title, and where it appeared.
    """

    method: str
    year: int
    source: str
    target: str
    accuracy: str
    std: str
    protocol: str
    notes: str
    provenance: str
    paper: str
    reference: str

    @property
    def text(self) -> str:
        """The number as printed, with its deviation if it has one."""
        return f"{self.accuracy} ± {self.std}" if self.std else self.accuracy

    @property
    def citation(self) -> str:
        """Where it appeared, or the title where that is not known."""
        return self.reference or self.paper


def load_published() -> tuple[PublishedResult, ...]:
    """Read the published numbers that come with the package, in the order of the file."""
    text = resources.files("uda.evaluation").joinpath("published.csv").read_text(encoding="utf-8")
    return tuple(
        PublishedResult(**{**row, "year": int(row["year"])})  # type: ignore[arg-type]
        for row in csv.DictReader(text.splitlines())
    )


def published_name(domain: str) -> str:
    """Return the name under which papers report a domain of ours."""
    return ALIASES.get(domain, domain)


def select_published(pairs: Iterable[tuple[str, str]], selection: Selection) -> tuple[PublishedResult, ...]:
    """Return the published results of some pairs.

    Parameters
    ----------
    pairs
        (source, target) in our names; `ALIASES` are followed.
    selection
        ``"main"``: the rows in `MAIN`, in that order; ``"all"``: every row, in the order of the file;
        ``"none"``: nothing.
    """
    wanted = {(published_name(source), published_name(target)) for source, target in pairs}
    found = [row for row in load_published() if (row.source, row.target) in wanted]
    if selection == "all":
        return tuple(found)
    if selection == "none":
        return ()
    return tuple(sorted((row for row in found if row.method in MAIN), key=lambda row: MAIN.index(row.method)))

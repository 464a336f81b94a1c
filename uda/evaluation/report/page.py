"""The page: results, figures, protocols, environment and runs, in one file that asks nothing of the network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from pathlib import Path

from uda.data.protocols import PROTOCOLS
from uda.evaluation.found import write_found
from uda.evaluation.labels import pair_labels
from uda.evaluation.layout import Headline
from uda.evaluation.published import Selection
from uda.evaluation.report.environment import environment
from uda.evaluation.report.figures import LeftOut, Plan, Shown, draw_figures
from uda.evaluation.report.markup import Html, element, joined
from uda.evaluation.report.records import RunRecord, read_records
from uda.evaluation.report.runs import run_details, runs_table
from uda.evaluation.runs import FoundRuns
from uda.evaluation.series import Series, collect

_SECTIONS = {
    "results": "Results",
    "figures": "Figures",
    "protocols": "Protocols",
    "environment": "Environment",
    "runs": "Runs",
}


def make_report(
    found: FoundRuns,
    root: Path,
    *,
    title: str = "",
    headline: Headline = "last",
    published: Selection = "main",
    checkpoints: bool = True,
    progress: Callable[[list[Plan]], Iterable[Plan]] = iter,
) -> str:
    """Write the report of some runs as HTML.

    Parameters
    ----------
    found
        From `uda.evaluation.runs.find_runs`.
    root
        The data root, for the figures that are drawn from checkpoints.
    title
        Names of the pairs where it is empty.
    headline
        Whether the last step or the validator's pick stands first, and is drawn.
    published
        Which published results stand in the tables.
    checkpoints
        Whether to draw from checkpoints, which needs their data.
    progress
        Wraps the list of figures while they are drawn, as tqdm does.

    Raises
    ------
    UserError
        Where there is no finished run, or for runs that cannot stand in one table.
    """
    tables = write_found(found, "html", published, headline)
    series = collect((*found.results, *found.unscored), found.folders)
    records = read_records(series)
    shown, left_out = draw_figures(series, headline, root, checkpoints, progress)
    named = title or default_title(series)
    content = {
        "results": Html(tables),
        "figures": joined([*(_figure(number, each) for number, each in enumerate(shown, 1)), _left_out(left_out)]),
        "protocols": joined(_protocol(name, series) for name in dict.fromkeys(each.protocol for each in series)),
        "environment": environment(records),
        "runs": joined([runs_table(records), run_details(records)]),
    }
    main = joined(element("section", element("h2", _SECTIONS[name], id=name), body) for name, body in content.items())
    return _page(named, joined([_header(named, series, records), element("main", main)]))


def default_title(series: Sequence[Series]) -> str:
    """Return the names of the pairs, or how many there are."""
    pairs = list(pair_labels(each.pair for each in series).values())
    return " · ".join(pairs) if len(pairs) <= 3 else f"{len(pairs)} pairs of domains"


def _page(title: str, body: Html) -> str:
    style, script = (_asset(f"report.{kind}") for kind in ("css", "js"))
    head = joined(
        [
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
            element("meta", name="color-scheme", content="light dark"),
            element("title", title),
            element("style", Html(style)),
        ],
        Html("\n"),
    )
    page = element("html", element("head", head), element("body", body, element("script", Html(script))), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def _policy(script: str) -> str:
    """Return what the page may do: show what is in it and run this script, and ask nothing of any server."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _asset(name: str) -> str:
    return resources.files("uda.evaluation.report").joinpath(name).read_text(encoding="utf-8")


def _header(title: str, series: Sequence[Series], records: Sequence[RunRecord]) -> Html:
    methods = len({each.label for each in series})
    pairs = len({each.pair for each in series})
    seeds = {len(each.runs) for each in series}
    counts = [
        _count(len(records), "run"),
        _count(methods, "method"),
        _count(pairs, "pair"),
        f"{min(seeds)} to {max(seeds)} seeds" if len(seeds) > 1 else _count(min(seeds), "seed"),
    ]
    links = [element("a", name, href=f"#{anchor}") for anchor, name in _SECTIONS.items()]
    return element(
        "header",
        element("p", "Unsupervised domain adaptation", class_="kicker"),
        element("h1", title),
        element("p", ", ".join(counts) + ".", class_="lede"),
        element("nav", *links, aria_label="Sections"),
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _figure(number: int, each: Shown) -> Html:
    kinds = ["wide" if each.wide else "narrow", *(["on-paper"] if each.on_paper else [])]
    label = element("strong", f"Figure {number}. {each.heading}.")
    picture = element("div", each.svg, class_="scroll", tabindex="0", role="region", aria_label=each.heading)
    return element("figure", picture, element("figcaption", label, " ", each.caption), class_=" ".join(kinds))


def _left_out(left_out: Sequence[LeftOut]) -> Html:
    if not left_out:
        return Html()
    lines = [element("li", element("strong", each.heading), f": {each.reason}.") for each in left_out]
    return joined([element("h3", "Figures that are left out"), element("ul", *lines, class_="left-out")])


def _protocol(name: str, series: Sequence[Series]) -> Html:
    here = [each for each in series if each.protocol == name]
    notes = list(dict.fromkeys(note for each in here for note in each.cell.notes))
    known = PROTOCOLS.get(name)
    text = f"{known.description[:1].upper()}{known.description[1:]}." if known else "Not known to this version of uda."
    pairs = ", ".join(pair_labels(each.pair for each in here).values())
    return joined(
        [
            element("h3", element("code", name)),
            element("p", text),
            element("p", f"Pairs here: {pairs}.", class_="note"),
            element("ul", *(element("li", note) for note in notes), class_="note") if notes else Html(),
        ]
    )

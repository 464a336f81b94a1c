"""Which published numbers were measured as ours are, and what must be said beside the others."""

from __future__ import annotations

from uda.evaluation.labels import domain_label
from uda.evaluation.published import ALIASES, PublishedResult
from uda.evaluation.table import Pair

# The published protocol that ours repeats: the same training images.
_EQUAL_PROTOCOLS = {
    "standard": "full",
    "standard-balanced": "full",
    "unit-2017": "full",
    "unit-2017-train": "full",
    "cogan-full": "full",
    "cogan-padded": "full",
    "cogan-small": "small",
}
_PUBLISHED_PROTOCOLS = {
    "full": "the full training sets",
    "small": "2,000 MNIST and 1,800 USPS training images",
    "svhn-extra": "SVHN extra (531,131 images) as source",
}
_PUBLISHED_NOTES = {
    "best-on-target-test": "the best on the target test split during training: an oracle's number",
    "not-checked": "from a list of the paper's numbers, not checked against the paper",
}
_PROVENANCE = {"authors": "from the authors' code or logs, not from a paper", "rerun": "somebody else's re-run"}


def equal_protocol(protocol: str, pair: Pair) -> str:
    """Return the published protocol that trains on the same images as ours; empty where there is none."""
    if protocol == "unit-2017" and pair[0] == "svhn":
        return "svhn-extra"
    return _EQUAL_PROTOCOLS.get(protocol, "")


def published_notes(protocol: str, pair: Pair, result: PublishedResult) -> list[str]:
    """Return what must be said beside a published number in a table of one of our protocols."""
    notes = []
    if result.protocol != equal_protocol(protocol, pair):
        what = _PUBLISHED_PROTOCOLS[result.protocol]
        if result.protocol == "small" and {result.source, result.target} != {"mnist", "usps"}:
            what = "as that paper's other pairs"
        notes.append(f"another protocol than ours, {result.protocol}: {what}")
    if result.notes:
        notes.append(_PUBLISHED_NOTES.get(result.notes, result.notes))
    if result.provenance in _PROVENANCE:
        notes.append(_PROVENANCE[result.provenance])
    return notes


def pair_notes(pair: Pair) -> list[str]:
    """Return what must be said of all published rows of a pair: forms of a domain, and test splits that differ."""
    notes = [
        f"{domain_label(name)} is another form of {domain_label(ALIASES[name])}; published rows are of "
        f"{domain_label(ALIASES[name])}, whatever its form"
        for name in pair
        if name in ALIASES
    ]
    forms = [ALIASES.get(name, name) for name in pair]
    if forms[1] == "usps":
        notes.append(
            "papers test on the 2,007 images of USPS that were released for it, or on 1,860 of a random split "
            "(protocol cogan-full); not all say which"
        )
    if set(forms) == {"mnist", "usps"}:
        notes.append(
            "a USPS digit as released fills its image; CoGAN's authors trained on padded ones too (protocol "
            "cogan-padded); papers do not say which they have"
        )
    return notes

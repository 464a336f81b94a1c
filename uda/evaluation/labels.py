"""How methods, domains and pairs are written in a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath
from typing import get_args

from uda.methods import METHODS
from uda.methods.base import Kind

#: In the order of a table: the bounds frame the methods that adapt.
KINDS: tuple[Kind, ...] = get_args(Kind)
_BOUNDS = ("source-only", "target-only")

_DOMAINS = {"mnistm": "MNIST-M", "syndigits": "SynDigits", "usps-esl": "USPS (ESL)", "usps-cogan": "USPS (CoGAN)"}
_UPPER_CASE = {"mnist", "usps", "svhn"}
_PAIRS = (("mnist", "usps"), ("usps", "mnist"), ("svhn", "mnist"), ("mnist", "mnistm"), ("mnist", "svhn"))


def method_kind(method: str) -> Kind:
    """Return what a method does about the shift; ``"other"`` for one that this version of the package does not have."""
    return METHODS[method].kind if method in METHODS else "other"


def adapts(kind: Kind) -> bool:
    """Tell methods that adapt from the two bounds, which are trained on one domain only."""
    return kind not in _BOUNDS


def kind_heading(kind: Kind) -> str:
    """Return what stands above the rows of a kind; nothing above the bounds, which say it themselves."""
    return kind.capitalize() if adapts(kind) else ""


def method_label(method: str) -> str:
    """Return a method's name as its paper writes it; in capitals where the method does not say."""
    label = METHODS[method].label if method in METHODS else ""
    return label or method.upper()


def preset_label(method: str, preset: str) -> str:
    """Return a method's label, with its preset behind it unless that is the default."""
    return method_label(method) + ("" if preset in ("", "default") else f" ({preset})")


def domain_label(domain: str, parts: int = 1) -> str:
    """Return a domain's name as papers write it; our own names stay as they are, and of a path its last parts."""
    _, colon, path = domain.partition(":")
    if colon:
        return str(PurePath(*PurePath(path).parts[-parts:])) if PurePath(path).name else domain
    return domain.upper() if domain in _UPPER_CASE else _DOMAINS.get(domain, domain)


def domain_labels(pair: tuple[str, str], parts: int = 1) -> tuple[str, str]:
    """Return both names as `domain_label` does; of paths that end alike, as many parts more as tell them apart."""
    source, target = pair
    labels = domain_label(source, parts), domain_label(target, parts)
    deepest = max(len(PurePath(domain).parts) for domain in pair)
    if labels[0] == labels[1] and source != target and parts < deepest:
        return domain_labels(pair, parts + 1)
    return labels


def pair_label(pair: tuple[str, str], parts: int = 1) -> str:
    """Return ``SOURCE → TARGET``; ``parts`` as in `domain_labels`."""
    return " → ".join(domain_labels(pair, parts))


def pair_labels(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Label pairs that stand beside each other: paths by as many of their last parts as tell two pairs apart."""
    labels = {pair: pair_label(pair) for pair in pairs}
    deepest = max((len(PurePath(domain).parts) for pair in labels for domain in pair), default=0)
    for parts in range(2, deepest + 1):
        counts = Counter(labels.values())
        labels = {p: pair_label(p, parts) if counts[label] > 1 else label for p, label in labels.items()}
    return labels


def pair_order(pair: tuple[str, str]) -> tuple[int, tuple[str, str]]:
    """Sort key of pairs: the usual order of digit tables, then others by name."""
    plain = (pair[0].removesuffix("-esl"), pair[1].removesuffix("-esl"))
    return (_PAIRS.index(plain) if plain in _PAIRS else len(_PAIRS)), pair

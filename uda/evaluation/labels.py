"""How methods, domains and pairs are written in a table."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

Kind = Literal["source-only", "adaptation", "target-only"]

# Names that the rules below would not spell as their papers do.
_METHODS = {"cogan": "CoGAN", "cycada": "CyCADA", "dirt-t": "DIRT-T", "self-ensembling": "Self-ensembling"}
_DOMAINS = {"mnistm": "MNIST-M", "syndigits": "SynDigits", "usps-esl": "USPS (ESL)"}
_UPPER_CASE = {"mnist", "usps", "svhn"}
_PAIRS = (("mnist", "usps"), ("usps", "mnist"), ("svhn", "mnist"), ("mnist", "mnistm"), ("mnist", "svhn"))


def method_kind(method: str) -> Kind:
    """Tell the two bounds, trained on one domain only, from methods that adapt."""
    if method in ("source-only", "target-only"):
        return method  # type: ignore[return-value]
    return "adaptation"


def method_label(method: str) -> str:
    """Return a method's name as a paper writes it: words capitalised, abbreviations in capitals."""
    if method in _METHODS:
        return _METHODS[method]
    if method_kind(method) != "adaptation":
        return method.replace("-", " ").capitalize()
    return method.upper()


def domain_label(domain: str) -> str:
    """Return a domain's name as papers write it; our own names stay as they are, and of a path its last part."""
    _, colon, path = domain.partition(":")
    if colon:
        return PurePath(path).name or domain
    return domain.upper() if domain in _UPPER_CASE else _DOMAINS.get(domain, domain)


def pair_label(pair: tuple[str, str]) -> str:
    """Return ``SOURCE → TARGET``."""
    return f"{domain_label(pair[0])} → {domain_label(pair[1])}"


def pair_order(pair: tuple[str, str]) -> tuple[int, tuple[str, str]]:
    """Sort key of pairs: the usual order of digit tables, then others by name."""
    plain = (pair[0].removesuffix("-esl"), pair[1].removesuffix("-esl"))
    return (_PAIRS.index(plain) if plain in _PAIRS else len(_PAIRS)), pair

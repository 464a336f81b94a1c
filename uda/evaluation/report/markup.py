"""HTML that is escaped by construction: plain text goes in, and only what was built here comes out unescaped."""

from __future__ import annotations

import html
from collections.abc import Iterable

_EMPTY = {"br", "meta", "link", "img"}


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(text: str) -> Html:
    """Return text as HTML; what is HTML already stays as it is."""
    return text if isinstance(text, Html) else Html(html.escape(text, quote=True))


def element(tag: str, /, *content: str, **attributes: str | bool) -> Html:
    """Build an element.

    Parameters
    ----------
    tag
        Of the element.
    content
        Text, escaped here, or `Html`.
    attributes
        ``class_`` is ``class``, ``data_value`` is ``data-value``; False leaves one out, True gives it no value.
    """
    said = "".join(_attribute(key, value) for key, value in attributes.items())
    if tag in _EMPTY:
        return Html(f"<{tag}{said}>")
    return Html(f"<{tag}{said}>{joined(content)}</{tag}>")


def joined(parts: Iterable[str], between: str = "") -> Html:
    """Put parts after each other."""
    return Html(escaped(between).join(escaped(part) for part in parts))


def _attribute(key: str, value: str | bool) -> str:
    if value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value), quote=True)}"'

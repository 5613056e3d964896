"""Make foreign text safe to print: file names, and what programs print."""

from __future__ import annotations


def one_line(text: str, limit: int | None = None) -> str:
    """A text on one line: line ends, escape sequences and undecodable bytes are escaped; at most `limit` long."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"

"""Read TOML on every Python that envguard runs on: with the standard library, or its backport on 3.10."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 11):
    from tomllib import loads as _loads
else:
    from tomli import loads as _loads


def parse_toml(text: str) -> dict[str, object]:
    """Parse a document; raises ValueError if it is not TOML."""
    document: dict[str, object] = _loads(text)
    return document

"""Characters for streams that do not have them all: a pipe of Windows is in the code page of its country."""

from __future__ import annotations

import codecs

NAME = "envguard.plain"
_PLAIN = {
    "→": "->", "←": "<-", "…": "...", "–": "-", "—": "-", "−": "-", "×": "x", "·": ".", "≤": "<=", "≥": ">=", "≠": "!=",
    "’": "'", "‘": "'", "“": '"', "”": '"', "✓": "ok", "✗": "no", "•": "*",
}  # fmt: skip


def errors_for(encoding: str, errors: str | None) -> str | None:
    """What a stream of that encoding does with characters that it does not have: ours, unless it has all of them."""
    try:
        "→…✓".encode(encoding)
    except UnicodeEncodeError:
        return NAME
    return errors


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_PLAIN.get(char) or ascii(char)[1:-1] for char in text), error.end


codecs.register_error(NAME, _plainly)

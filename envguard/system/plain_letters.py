"""Characters for streams that do not have them all: a pipe of Windows is in the code page of its country."""

from __future__ import annotations

import codecs
from collections.abc import Mapping

NAME = "envguard.plain"
PLAIN_ENCODING = "envguard_ascii"
_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
_PLAIN = {
    "→": "->", "←": "<-", "…": "...", "–": "-", "—": "-", "−": "-", "×": "x", "·": ".", "≤": "<=", "≥": ">=", "≠": "!=",
    "’": "'", "‘": "'", "“": '"', "”": '"', "✓": "ok", "✗": "no", "•": "*",
    "━": "-", "─": "-", "│": "|", "╭": "+", "╮": "+", "╰": "+", "╯": "+",
}  # fmt: skip


def asks_for_plain_letters(environ: Mapping[str, str]) -> bool:
    """Whether the locale that the user chose is C: Python itself takes UTF-8 there, which a terminal need not show.

    With `LANG=C`, Python sets LC_CTYPE to C.UTF-8 (PEP 538), so that counts as not being set.
    """
    chosen = (environ.get("LC_ALL"), environ.get("LC_CTYPE"), environ.get("LANG"))
    own = [each for each in chosen if each and not (each == environ.get("LC_CTYPE") and each in _COERCED)]
    return bool(own) and own[0] in ("C", "POSIX")


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


def _plain_codec(name: str) -> codecs.CodecInfo | None:
    """ASCII under a name of our own: typer takes a stream that says ASCII for misconfigured, and writes UTF-8 to it."""
    if name != PLAIN_ENCODING:
        return None
    ascii_ = codecs.lookup("ascii")
    return codecs.CodecInfo(
        ascii_.encode,
        ascii_.decode,
        incrementalencoder=ascii_.incrementalencoder,
        incrementaldecoder=ascii_.incrementaldecoder,
        name=PLAIN_ENCODING,
    )


codecs.register_error(NAME, _plainly)
codecs.register(_plain_codec)

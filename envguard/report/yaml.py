"""Plain values as YAML that people can read; text that a YAML parser could misread is quoted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

YamlValue = str | int | bool | None | Sequence["YamlValue"] | Mapping[str, "YamlValue"]

INDENT = "  "

# Texts that need no quotes in a block, in YAML 1.1 or 1.2.
_PART = r"(?:[A-Za-z0-9_./@+=${}(),-]|:(?=[A-Za-z0-9_./]))"
_PLAIN = re.compile(rf"(?:[A-Za-z_/$]|\.(?=[a-z]{{4}})){_PART}*(?: {_PART}+)*")
_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "y", "n", "null"))
# A key may have the prefix that Kubernetes' own labels have: `kubernetes.io/arch`.
_KEY = re.compile(r"(?:[a-z]+(?:\.[a-z]+)+/)?[A-Za-z_][A-Za-z_-]*")


def to_yaml(document: Mapping[str, YamlValue]) -> str:
    """The document as YAML, with keys in their order and multi-line texts as blocks.

    Raises ValueError if a key would need quotes.
    """
    return "\n".join(_mapping(document)) + "\n"


def _mapping(values: Mapping[str, YamlValue]) -> Iterator[str]:
    for key, value in values.items():
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} needs quotes as a key")
        if isinstance(value, Mapping) and value:
            yield f"{key}:"
            yield from (INDENT + line for line in _mapping(value))
        elif isinstance(value, Sequence) and not isinstance(value, str) and value:
            yield f"{key}:"
            yield from (INDENT + line for line in _items(value))
        else:
            first, *rest = _scalar(value)
            yield f"{key}: {first}".rstrip()
            yield from rest


def _items(values: Sequence[YamlValue]) -> Iterator[str]:
    for value in values:
        if isinstance(value, Mapping) and value:
            first, *rest = _mapping(value)
        elif isinstance(value, Sequence) and not isinstance(value, str) and value:
            first, *rest = _items(value)
        else:
            first, *rest = _scalar(value)
            yield f"- {first}".rstrip()
            yield from rest
            continue
        yield f"- {first}"
        yield from (INDENT + line if line else line for line in rest)


def _scalar(value: YamlValue) -> Iterator[str]:
    """The lines of a value; those of a multi-line text after the first are indented."""
    if value is None:
        yield ""
    elif not isinstance(value, str):
        yield json.dumps(value)  # numbers, booleans, and empty containers
    elif _fits_block(value):
        yield "|" if value.endswith("\n") else "|-"
        yield from (INDENT + line if line else "" for line in value.removesuffix("\n").split("\n"))
    elif _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        yield value
    else:
        yield _quoted(value)


def _fits_block(text: str) -> bool:
    """Whether a multi-line text can be a block, whose indentation is read from its first line."""
    lines = text.removesuffix("\n").split("\n")
    return len(lines) > 1 and bool(lines[0]) and lines[0][0] != " " and bool(lines[-1]) and all(map(_is_clean, lines))


def _is_clean(line: str) -> bool:
    return line.isprintable() and line == line.rstrip(" ")


def _quoted(text: str) -> str:
    """The text in single quotes, or in double quotes with escapes if it has unprintable characters."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)

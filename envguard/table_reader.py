"""Read an untrusted document: every key must be known, every value must have its type, every error names its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn, TypeVar

from envguard.errors import BadInput, BrokenData

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]

NAME = re.compile(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?")
SHA256 = re.compile(r"[0-9a-f]{64}")

Value = TypeVar("Value")


class TableReader:
    """A table being read: returns values by type and refuses, with BrokenData, every key that was not read.

    `where` is the place that errors name. A value's reader takes the parsed value and raises ValueError that says what
    it must be.
    """

    def __init__(self, values: object, where: str) -> None:
        if not isinstance(values, Mapping):
            raise BrokenData(f"{where} must be a table.", next_step="Write it as a table.")
        self._values = values
        self._where = where
        self._asked: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def holds_table(self, key: str) -> bool:
        """Whether the value of a key is a table."""
        return isinstance(self._values.get(key), Mapping)

    def holds_array(self, key: str) -> bool:
        """Whether the value of a key is an array."""
        return isinstance(self._values.get(key), list)

    def take(self, key: str, read: Callable[[object], Value], default: Value | None = None) -> Value:
        """The value of a key, or its default; a key without a default is required."""
        self._asked.append(key)
        if key not in self._values:
            if default is None:
                self.refuse(key, "is missing")
            return default
        try:
            return read(self._values[key])
        except ValueError as error:
            self.refuse(key, str(error))

    def inner(self, key: str, read: Callable[[TableReader], Value], default: Value | None = None) -> Value:
        """A table inside this one, or its default; one without a default is required."""
        self._asked.append(key)
        if key not in self._values:
            if default is not None:
                return default
            self.refuse(key, "is missing")
        return self._read(self._values[key], f"{self._where}: {key}", read)

    def named(self, key: str, read: Callable[[str, TableReader], Value]) -> dict[str, Value]:
        """A table of named tables, in the order of the file."""
        self._asked.append(key)
        found: dict[str, Value] = {}
        inner = self._values.get(key, {})
        if not isinstance(inner, Mapping):
            self.refuse(key, "must be a table")
        for name, values in inner.items():
            if not isinstance(name, str) or not NAME.fullmatch(name):
                self.refuse(key, f"has {name!r}; names are made of lower-case letters, digits, '.', '_' and '-'")
            table = TableReader(values, f"{self._where}: {key}.{name}")
            found[name] = read(name, table)
            table.done()
        return found

    def each(self, key: str, read: Callable[[TableReader], Value], *, least: int = 1) -> tuple[Value, ...]:
        """An array of at least `least` tables."""
        self._asked.append(key)
        entries = self._values.get(key)
        if not isinstance(entries, list) or len(entries) < least:
            self.refuse(key, "must be an array with at least one table" if least else "must be an array of tables")
        return tuple(
            self._read(values, f"{self._where}: {key}[{number}]", read) for number, values in enumerate(entries)
        )

    def named_arrays(self, key: str, read: Callable[[TableReader], Value]) -> dict[str, tuple[Value, ...]]:
        """A table of named arrays of tables."""
        return self.inner(key, lambda table: {name: table.each(name, read) for name in table.names()})

    def keys_of(self, read: Callable[[object], str]) -> tuple[str, ...]:
        """The table's keys, each of which `read` must accept."""
        try:
            return tuple(read(key) for key in self._values)
        except ValueError as error:
            self.refuse("a name", str(error))

    def names(self) -> tuple[str, ...]:
        """The table's keys, each of which must be a name."""
        for key in self._values:
            if not isinstance(key, str) or not NAME.fullmatch(key):
                self.refuse(repr(key), "must be a name of lower-case letters, digits, '.', '_' and '-'")
        return tuple(self._values)

    def done(self) -> None:
        """Refuse every key that was not read, and suggest the nearest known one."""
        for key in self._values:
            if key not in self._asked:
                near = did_you_mean(str(key), self._asked)
                self.refuse(str(key), f"is not known{near}")

    def refuse(self, key: str, why: str) -> NoReturn:
        """Raise BrokenData that names the place."""
        stop = "" if why.endswith("?") else "."
        raise BrokenData(f"{self._where}: {key} {why}{stop}", next_step="Correct that key.")

    @staticmethod
    def _read(values: object, where: str, read: Callable[[TableReader], Value]) -> Value:
        table = TableReader(values, where)
        found = read(table)
        table.done()
        return found


def did_you_mean(name: str, known: list[str]) -> str:
    """The end of a sentence about an unknown name: the nearest known one, if any is near."""
    near = difflib.get_close_matches(name, known, n=3)
    if not near:
        return ""
    swapped = (each for each in near if sorted(each) == sorted(name))  # as near as others, and likelier
    return f"; did you mean {next(swapped, near[0])!r}?"


def unknown_name(nothing: str, name: str, known: Iterable[str]) -> BadInput:
    """The error that begins `nothing` (such as "There is no environment"), suggests the nearest name and lists all."""
    names = list(known)
    near = did_you_mean(name, names) or "."
    return BadInput(f"{nothing} {name!r}{near}", next_step=f"Choose one of: {', '.join(names)}.")


def text(value: object) -> str:
    """A non-empty text of printable characters."""
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError("must be a non-empty text of printable characters")
    return value


def boolean(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def integer(value: object) -> int:
    """A whole number of at least 0."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("must be a whole number of at least 0")
    return value


def number(value: object) -> float:
    """A number of at least 0."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < float("inf"):
        raise ValueError("must be a number of at least 0")
    return float(value)


def match(pattern: re.Pattern[str], wanted: str) -> Callable[[object], str]:
    """A reader of texts that match a pattern as a whole."""

    def read(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(f"must be {wanted}")
        return value

    return read


name_text = match(NAME, "a name of lower-case letters, digits, '.', '_' and '-'")
sha256_text = match(SHA256, "a SHA-256 in lower-case hex")


def list_of(read: Callable[[object], str], *, least: int = 0) -> Callable[[object], tuple[str, ...]]:
    """A reader of lists whose items `read` accepts."""

    def read_list(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or len(value) < least:
            raise ValueError("must be a list" + (f" of at least {least}" if least else ""))
        return tuple(read(item) for item in value)

    return read_list


def table_of(
    read: Callable[[object], Value], key: Callable[[object], str] = name_text
) -> Callable[[object], Mapping[str, Value]]:
    """A reader of tables whose values `read` accepts, in the order of the file."""

    def read_table(value: object) -> Mapping[str, Value]:
        if not isinstance(value, dict):
            raise ValueError("must be a table")
        found = {}
        for each, item in value.items():
            try:
                found[key(each)] = read(item)
            except ValueError as error:
                raise ValueError(f"has {each!r}, which {error}") from error
        return found

    return read_table


def inside(value: object) -> str:
    """A relative path with forward slashes that stays below its starting point."""
    path = text(value)
    if "\\" in path or any(part in ("", ".", "..") or ":" in part for part in path.split("/")):
        raise ValueError("must be a relative path without '..'")
    return path


def json_table(value: object) -> dict[str, JsonValue]:
    """A table of plain JSON."""
    if not isinstance(value, dict):
        raise ValueError("must be a table")
    return {str(key): _json(item) for key, item in value.items()}


def plain_table(value: object) -> dict[str, JsonValue]:
    """A table of plain JSON whose texts are printable."""
    table = json_table(value)
    _refuse_control(table)
    return table


def _refuse_control(value: JsonValue) -> None:
    if isinstance(value, str) and not value.isprintable():
        raise ValueError("has a text with a character that cannot be printed")
    for each in (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        _refuse_control(each)


def _json(value: object) -> JsonValue:
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return json_table(value)
    raise ValueError("has a value that JSON cannot express")

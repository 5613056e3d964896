"""Frozen dataclasses to plain JSON and back; whoever reads is told the path of what is wrong."""

from __future__ import annotations

import math
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import Any, Literal, TypeVar, Union

Json = Union[None, bool, int, float, str, list["Json"], dict[str, "Json"]]
"""Any JSON value: for what the contract passes on without reading it."""

Value = TypeVar("Value")

_JSON_SCALARS = {type(None), bool, int, float, str}

KEY = "json"


class Unreadable(ValueError):
    """A document does not say what its type asks for; `path` is the place, such as `models[3].bytes`."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or 'the document'} {problem}")
        self.path = path
        self.problem = problem


def written_as(key: str) -> Mapping[str, str]:
    """The metadata of a dataclass field whose JSON key is not a Python name."""
    return {KEY: key}


def key_of(each: Field[Any]) -> str:
    """The JSON key of a dataclass field."""
    return str(each.metadata.get(KEY, each.name))


def keys_of(kind: Any) -> tuple[str, ...]:
    """The JSON keys of a dataclass."""
    return tuple(map(key_of, fields(kind)))


def to_json(value: object, path: str = "") -> Json:
    """The value as plain JSON; raises Unreadable for what JSON does not have, such as NaN."""
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((key_of(each), getattr(value, each.name)) for each in fields(value))
        return {key: to_json(each, _below(path, key)) for key, each in pairs}
    if isinstance(value, Mapping):
        return {str(key): to_json(each, _below(path, str(key))) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(each, f"{path}[{number}]") for number, each in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise Unreadable(path, f"is {value}, which JSON does not have")
    if isinstance(value, PurePath):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise Unreadable(path, f"is of the type {type(value).__name__}, which JSON does not have")


def from_json(kind: type[Value], document: object, path: str = "") -> Value:
    """Read a value of a dataclass (or of any other hint that a field may have); raises Unreadable.

    Unknown keys are refused; a key may be missing where its field has a default.
    """
    return typing.cast(Value, _read(kind, document, path))


@cache
def hints_of(kind: Any) -> Mapping[str, Any]:
    """The types of a dataclass's fields, by name."""
    return typing.get_type_hints(kind)


def tag_of(kind: object) -> tuple[str, str]:
    """Key and value that tell a dataclass from the others of a union; empty texts if it has no such field."""
    if isinstance(kind, type) and is_dataclass(kind):
        for name, hint in hints_of(kind).items():
            values = typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
            if len(values) == 1 and isinstance(values[0], str):
                return name, values[0]
    return "", ""


def _read(hint: Any, document: object, path: str) -> object:
    if _is_json(hint):
        return document
    if isinstance(hint, type) and is_dataclass(hint):
        return _read_fields(hint, document, path)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Union:
        return _read_union(arguments, document, path)
    if origin is Literal:
        return _expect(document in arguments, document, path, f"one of {', '.join(map(repr, arguments))}")
    if origin is tuple:
        return _read_tuple(arguments, document, path)
    if origin is not None:
        return _read_mapping(arguments[1], document, path)
    return _read_scalar(hint, document, path)


def _is_json(hint: Any) -> bool:
    """Whether it is `Json`, whose names of itself `get_type_hints` has resolved one level down or not at all."""
    return (
        any(typing.get_origin(each) is list for each in typing.get_args(hint))
        and set(typing.get_args(hint)) >= _JSON_SCALARS
    )


def _read_fields(kind: Any, document: object, path: str) -> object:
    if not isinstance(document, Mapping):
        raise Unreadable(path, "is not an object")
    hints: Mapping[str, Any] = hints_of(kind)
    known = {key_of(each): each for each in fields(kind)}
    unknown = [str(key) for key in document if key not in known]
    if unknown:
        raise Unreadable(_below(path, unknown[0]), "is not a known key")
    values = {}
    for key, each in known.items():
        if key in document:
            values[each.name] = _read(hints[each.name], document[key], _below(path, key))
        elif each.default is MISSING and each.default_factory is MISSING:
            raise Unreadable(_below(path, key), "is missing")
    return kind(**values)


def _read_union(choices: tuple[Any, ...], document: object, path: str) -> object:
    if document is None and type(None) in choices:
        return None
    if isinstance(document, Mapping):
        for choice in choices:
            key, value = tag_of(choice)
            if key and document.get(key) == value:
                return _read(choice, document, path)
    rest = [choice for choice in choices if choice is not type(None)]
    untagged = [choice for choice in rest if not tag_of(choice)[0]]
    if len(untagged) == 1:
        return _read(untagged[0], document, path)
    scalars = [choice for choice in rest if choice in (bool, int, float, str)]
    for choice in scalars:
        if type(document) is choice:
            return document
    tags = [repr(value) for key, value in map(tag_of, rest) if key]
    raise Unreadable(path, f"is none of {', '.join(tags) or ', '.join(each.__name__ for each in scalars)}")


def _read_tuple(arguments: tuple[Any, ...], document: object, path: str) -> tuple[object, ...]:
    if not isinstance(document, (list, tuple)):
        raise Unreadable(path, "is not a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        arguments = (arguments[0],) * len(document)
    if len(arguments) != len(document):
        raise Unreadable(path, f"has {len(document)} items instead of {len(arguments)}")
    pairs = enumerate(zip(arguments, document))  # noqa: B905 - Python 3.9
    return tuple(_read(hint, each, f"{path}[{number}]") for number, (hint, each) in pairs)


def _read_mapping(hint: Any, document: object, path: str) -> dict[str, object]:
    if not isinstance(document, Mapping):
        raise Unreadable(path, "is not an object")
    return {str(key): _read(hint, each, _below(path, str(key))) for key, each in document.items()}


def _read_scalar(kind: Any, document: object, path: str) -> object:
    if kind is Path and isinstance(document, str):
        return Path(document)
    if kind is float and isinstance(document, int) and not isinstance(document, bool):
        return float(document)
    words = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
    return _expect(type(document) is kind, document, path, words.get(kind, str(kind)))


def _expect(fine: bool, document: object, path: str, what: str) -> object:
    if not fine:
        raise Unreadable(path, f"is not {what}")
    return document


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key

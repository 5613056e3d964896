"""From TOML to a catalog: every key is known, every value has its type, every name that is used exists."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn, TypeVar

from envguard.catalog.model import (
    Catalog,
    Edition,
    Environment,
    JsonValue,
    Sample,
    SampleFile,
    Step,
    Task,
)
from envguard.errors import BrokenData
from envguard.toml import parse_toml

SCHEMA = 1
NAME = re.compile(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?")
MINOR = re.compile(r"3\.[0-9]{1,2}")
SHA256 = re.compile(r"[0-9a-f]{64}")
PAYLOAD_STEP = re.compile(r"(steps|checks)\.[a-z0-9_]+")
LARGEST_FILE = 1_000_000

Value = TypeVar("Value")


def read_catalog(path: Path, *, lockfiles: Path) -> Catalog:
    """Read a catalog file whose locks lie in `lockfiles`; raises BrokenData that names the file and the key."""
    try:
        raw = path.read_bytes()
        if len(raw) > LARGEST_FILE:
            raise ValueError(f"{len(raw)} bytes are more than any catalog has")
        document = parse_toml(raw.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BrokenData(
            f"The catalog {path.name} cannot be read.", why=str(error), next_step=f"Correct {path}."
        ) from error
    return catalog_from(document, source=path.name, lockfiles=lockfiles)


def catalog_from(document: Mapping[str, object], *, source: str, lockfiles: Path) -> Catalog:
    """Build a catalog from a parsed document; `source` is the name that errors give it."""
    table = _Table(document, source)
    if table.take("schema", _integer) != SCHEMA:
        table.refuse("schema", f"this envguard reads schema {SCHEMA}")
    catalog = Catalog(
        environments=table.named("environments", _environment_in(lockfiles)),
        tasks=table.named("tasks", _task),
        samples=table.named("samples", _sample),
    )
    table.done()
    _check_references(catalog, table)
    return catalog


class _Table:
    """A TOML table being read: hands out values by type and refuses what was not asked for."""

    def __init__(self, values: object, where: str) -> None:
        if not isinstance(values, Mapping):
            raise BrokenData(f"{where} is not a table.", next_step="Write it as a TOML table.")
        self._values = values
        self._where = where
        self._asked: list[str] = []

    def take(self, key: str, read: Callable[[object], Value], default: Value | None = None) -> Value:
        """The value of a key, or its default; a key without a default must be there."""
        self._asked.append(key)
        if key not in self._values:
            if default is None:
                self.refuse(key, "is missing")
            return default
        try:
            return read(self._values[key])
        except ValueError as error:
            self.refuse(key, str(error))

    def named(self, key: str, read: Callable[[str, _Table], Value]) -> dict[str, Value]:
        """A table of tables by name, in the order of the file."""
        self._asked.append(key)
        found: dict[str, Value] = {}
        inner = self._values.get(key, {})
        if not isinstance(inner, Mapping):
            self.refuse(key, "is not a table")
        for name, values in inner.items():
            where = f"{self._where}: {key}.{name}"
            if not NAME.fullmatch(name):
                self.refuse(key, f"{name!r} is no name: lower-case letters, digits, '.', '_' and '-'")
            table = _Table(values, where)
            found[name] = read(name, table)
            table.done()
        return found

    def each(self, key: str, read: Callable[[_Table], Value]) -> tuple[Value, ...]:
        """An array of tables, at least one."""
        self._asked.append(key)
        entries = self._values.get(key)
        if not isinstance(entries, list) or not entries:
            self.refuse(key, "must be an array with at least one table")
        found = []
        for number, values in enumerate(entries):
            table = _Table(values, f"{self._where}.{key}[{number}]")
            found.append(read(table))
            table.done()
        return tuple(found)

    def done(self) -> None:
        """Refuse every key that nobody asked for, with the nearest known one."""
        for key in self._values:
            if key not in self._asked:
                near = difflib.get_close_matches(str(key), self._asked, n=1)
                self.refuse(str(key), "is not known" + (f"; did you mean {near[0]!r}?" if near else ""))

    def refuse(self, key: str, why: str) -> NoReturn:
        """Raise BrokenData that names the place."""
        raise BrokenData(f"{self._where}: {key} {why}.", next_step="Correct that key.")


def _environment_in(lockfiles: Path) -> Callable[[str, _Table], Environment]:
    def environment(name: str, table: _Table) -> Environment:
        pythons = table.take("pythons", _list_of(_match(MINOR, "a Python minor such as 3.11")))
        dependencies = table.take("dependencies", _boolean, True)
        found = Environment(
            name=name,
            lockfiles=lockfiles,
            summary=table.take("summary", _text),
            check=table.take("check", _match(PAYLOAD_STEP, "a payload step such as checks.quantize")),
            check_options=table.take("check-options", _json_table, {}),
            check_inputs=table.take("check-inputs", _references, {}),
            editions=tuple(table.named("editions", _edition_of(pythons, dependencies)).values()),
        )
        if not found.editions:
            table.refuse("editions", "must name at least one edition")
        return found

    return environment


def _edition_of(pythons: tuple[str, ...], dependencies: bool) -> Callable[[str, _Table], Edition]:
    def edition(name: str, table: _Table) -> Edition:
        return Edition(
            name=name,
            pythons=table.take("pythons", _list_of(_match(MINOR, "a Python minor such as 3.11")), pythons),
            requirements=table.take("requirements", _list_of(_text)),
            overrides=table.take("overrides", _list_of(_text), ()),
            dependencies=dependencies,
            offered=table.take("offered", _boolean, True),
        )

    return edition


def _task(name: str, table: _Table) -> Task:
    return Task(
        name=name,
        summary=table.take("summary", _text),
        steps=table.each("steps", _step),
        output=table.take("output", _text),
    )


def _step(table: _Table) -> Step:
    return Step(
        name=table.take("name", _match(NAME, "a name")),
        environment=table.take("environment", _match(NAME, "a name")),
        run=table.take("run", _match(PAYLOAD_STEP, "a payload step such as steps.quantize")),
        inputs=table.take("inputs", _references),
        options=table.take("options", _json_table, {}),
    )


def _sample(name: str, table: _Table) -> Sample:
    return Sample(
        name=name,
        summary=table.take("summary", _text),
        environment=table.take("environment", _match(NAME, "a name")),
        files=table.each("files", _sample_file),
    )


def _sample_file(table: _Table) -> SampleFile:
    return SampleFile(
        path=table.take("path", _inside),
        bytes=table.take("bytes", _integer),
        sha256=table.take("sha256", _match(SHA256, "a SHA-256 in lower-case hex")),
    )


def _check_references(catalog: Catalog, table: _Table) -> None:
    """Every environment, sample and step that something refers to exists, and steps refer only backwards."""
    for environment in catalog.environments.values():
        for reference in environment.check_inputs.values():
            kind, _, name = reference.partition(":")
            sample = catalog.samples.get(name) if kind == "sample" else None
            if sample is None or sample.environment == environment.name:
                table.refuse(f"environments.{environment.name}", f"is checked with {reference!r}, no sample elsewhere")
    for sample in catalog.samples.values():
        if sample.environment not in catalog.environments:
            table.refuse(f"samples.{sample.name}", f"names the unknown environment {sample.environment!r}")
    for task in catalog.tasks.values():
        known = {"task"}
        for step in task.steps:
            where = f"tasks.{task.name}, step {step.name},"
            if step.environment not in catalog.environments:
                table.refuse(where, f"names the unknown environment {step.environment!r}")
            for reference in step.inputs.values():
                kind, _, target = reference.partition(":")
                if not (kind in known or (kind == "sample" and target in catalog.samples)):
                    table.refuse(where, f"refers to {reference!r}, which does not come before it")
            known.add(step.name)
        if task.output.partition(":")[0] not in known - {"task"}:
            table.refuse(f"tasks.{task.name}", f"has the output {task.output!r} of no step")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError("must be a text of printable characters")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("must be a whole number")
    return value


def _match(pattern: re.Pattern[str], wanted: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(f"must be {wanted}")
        return value

    return read


def _list_of(read: Callable[[object], str]) -> Callable[[object], tuple[str, ...]]:
    def read_list(value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise ValueError("must be a list")
        return tuple(read(item) for item in value)

    return read_list


def _inside(value: object) -> str:
    """A relative path with forward slashes that stays below where it starts."""
    text = _text(value)
    if "\\" in text or any(part in ("", ".", "..") or ":" in part for part in text.split("/")):
        raise ValueError("must be a relative path without '..'")
    return text


def _references(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("must be a table")
    return {str(name): _text(reference) for name, reference in value.items()}


def _json_table(value: object) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise ValueError("must be a table")
    return {str(key): _json(item) for key, item in value.items()}


def _json(value: object) -> JsonValue:
    if isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return _json_table(value)
    raise ValueError("holds a value that JSON has no word for")

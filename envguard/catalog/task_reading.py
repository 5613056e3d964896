"""Read the tasks of a catalog: their steps, what these run, and what they are given."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from envguard.catalog.model import CommandStep, PayloadStep, Step, Task
from envguard.catalog.references import PLACEHOLDER, reference_of
from envguard.catalog.variables import USED, VARIABLE, passable
from envguard.payload.door.references import Reference
from envguard.table_reader import (
    TableReader,
    boolean,
    inside,
    integer,
    list_of,
    match,
    name_text,
    number,
    plain_table,
    table_of,
    text,
)

MINOR = re.compile(r"3\.[0-9]{1,2}")
Matrix = tuple[tuple[str, ...], tuple[str, ...]]
NONE: tuple[str, ...] = ()
NO_MATRIX: Matrix = (NONE, NONE)
TOOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")
PAYLOAD_STEP = re.compile(r"steps\.[a-z0-9_]+")
MOST_RETRIES = 100
PAYLOAD = Path(__file__).resolve().parents[1] / "payload"
NO_TEXTS: Mapping[str, str] = {}
NO_REFERENCES: Mapping[str, Reference] = {}


def task_in(folder: Path) -> Callable[[str, TableReader], Task]:
    def task(name: str, table: TableReader) -> Task:
        if "outputs" in table:
            outputs = table.take("outputs", table_of(reference_of))
            if not outputs:
                table.refuse("outputs", "must name at least one file, or be left out")
        else:
            outputs = {"output": table.take("output", reference_of)} if "output" in table else {}
        declared = table.each("steps", _step)
        pythons, editions = table.inner("matrix", _matrix, NO_MATRIX)
        return Task(
            name=name,
            folder=folder,
            summary=table.take("summary", text),
            matrix_pythons=pythons,
            matrix_editions=editions,
            depends_on=table.take("depends-on", list_of(name_text), ()),
            steps=tuple(step for step in declared if not step.on_request),
            declared=declared,
            outputs=outputs,
            reports=table.take("reports", table_of(reference_of), NO_REFERENCES),
        )

    return task


def _matrix(table: TableReader) -> Matrix:
    pythons = table.take("pythons", list_of(match(MINOR, "a Python minor such as 3.11"), least=1), NONE)
    return pythons, table.take("editions", list_of(name_text, least=1), NONE)


def _step(table: TableReader) -> Step:
    name = table.take("name", name_text)
    environment = table.take("environment", name_text)
    inputs = table.take("inputs", table_of(reference_of), NO_REFERENCES)
    measures = table.take("measures", boolean, False)
    on_request = table.take("on-request", boolean, False)
    timeout = table.take("timeout", _seconds, 0.0) or None
    if "run" in table:
        return PayloadStep(
            name=name,
            environment=environment,
            inputs=inputs,
            run=table.take("run", payload_name(PAYLOAD_STEP, "a step such as steps.quantize")),
            options=table.take("options", plain_table, {}),
            measures=measures,
            retries=table.take("retries", _retries, 0),
            on_request=on_request,
            timeout=timeout,
        )
    return CommandStep(
        name=name,
        environment=environment,
        inputs=inputs,
        command=table.take("command", command_of),
        outputs=table.take("outputs", _made, NO_TEXTS),
        env=table.take("env", table_of(text, match(VARIABLE, "a variable that a step may set")), NO_TEXTS),
        measures=measures,
        on_request=on_request,
        timeout=timeout,
        pass_env=table.take("pass-env", list_of(passable), ()),
        tools=table.take("tools", list_of(_tool), ()),
        network=_network(table),
        env_file=table.take("env-file", inside, ""),
    )


def _network(table: TableReader) -> bool | None:
    declared = "network" in table
    network = table.take("network", boolean, False)
    return network if declared else None


_tool = match(TOOL, "the name of a program such as git, without a folder")


def _made(value: object) -> Mapping[str, str]:
    """The paths of what a command makes, by name: files, and folders, which end in a slash and hold no other."""
    made = table_of(_file_or_folder)(value)
    for name, path in made.items():
        for folder in made.values():
            if folder.endswith("/") and path != folder and path.startswith(folder):
                raise ValueError(f"has {name!r} in {folder!r}, which is an output itself")
    return made


def _file_or_folder(value: object) -> str:
    path = text(value)
    inside(path.removesuffix("/"))
    return path


def _seconds(value: object) -> float:
    seconds = number(value)
    if seconds <= 0:
        raise ValueError("must be a number of seconds above 0")
    return seconds


def _retries(value: object) -> int:
    times = integer(value)
    if not 0 <= times <= MOST_RETRIES:
        raise ValueError(f"must be from 0 to {MOST_RETRIES}")
    return times


def payload_name(pattern: re.Pattern[str], wanted: str) -> Callable[[object], str]:
    """A reader for names of envguard's own code, which must exist."""
    of_its_form = match(pattern, wanted)

    def read(value: object) -> str:
        name = of_its_form(value)
        kind, _, module = name.partition(".")
        known = _payload_modules(kind)
        if module not in known:
            raise ValueError(f"names {name!r}, which does not exist; envguard has {', '.join(known)}")
        return name

    return read


@cache
def _payload_modules(kind: str) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (PAYLOAD / kind).glob("[a-z]*.py")))


def command_of(value: object) -> tuple[str, ...]:
    """A program and its arguments. Paths are relative to the catalog's folder, so that the command runs anywhere."""
    command = list_of(text, least=1)(value)
    program = command[0]
    script = command[1] if program in ("python", "python3") and len(command) > 1 else ""
    for part in (program, script if not script.startswith("-") else ""):
        if USED.search(part):
            raise ValueError(f"names {part!r}: what a step runs is fixed, and no variable can choose it")
        if part and PLACEHOLDER.search(part) is None:
            try:
                inside(part)
            except ValueError as error:
                raise ValueError(f"names {part!r}, which {error}") from error
    return command

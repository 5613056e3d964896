"""The receipt of a run: what was made of what, by which code, in which environments; enough to do it again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envguard.catalog.model import CommandStep, Step, Task
from envguard.catalog.references import reference_of
from envguard.documents import parse_json
from envguard.errors import BrokenData
from envguard.files import FileFacts
from envguard.host.secrets import hashed_if_secret
from envguard.payload.contract import Reference
from envguard.running.code_digest import task_digest
from envguard.running.environments.prepared import Prepared
from envguard.running.pipeline import TaskResult
from envguard.running.task_order import TaskOrder
from envguard.running.task_run import HandedOver
from envguard.table_reader import (
    JsonValue,
    TableReader,
    integer,
    json_table,
    list_of,
    match,
    name_text,
    number,
    sha256_text,
    table_of,
    text,
)

SCHEMA = 1
SUFFIX = ".receipt.json"
LARGEST_RECEIPT = 5_000_000
NO_TEXTS: Mapping[str, str] = {}

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_CODE = re.compile(r"([0-9a-f]{64})?")
_FILE = re.compile(r"(?!\.{1,2}\Z)[^/\x00]+")


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """A file of the run, without the folder that it lay in; `source` is the reference that it was had by."""

    file: str
    bytes: int
    sha256: str
    source: Reference | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """The file as plain JSON."""
        facts: dict[str, JsonValue] = {"file": self.file, "bytes": self.bytes, "sha256": self.sha256}
        return {**facts, "from": str(self.source)} if self.source else facts


@dataclass(frozen=True, slots=True)
class ReceiptEnvironment:
    """An environment: its lock, and the interpreter and platform that it stood on.

    `frozen` says how the lock differed from what the catalog asked for, in a run with --frozen; else it is empty.
    """

    name: str
    edition: str
    lock: str
    python: str
    build: str
    platform: str
    libc: str
    frozen: str = ""

    def as_json(self) -> dict[str, JsonValue]:
        """The environment as plain JSON."""
        return {field: getattr(self, field) for field in self.__slots__ if field != "frozen" or self.frozen}


@dataclass(frozen=True, slots=True)
class ReceiptStep:
    """A step: what ran (`run`, a payload step, or `command`), the hash of its code, and the files handed over."""

    name: str
    environment: str
    code: str
    seconds: float
    inputs: Mapping[str, tuple[ReceiptFile, ...]]
    outputs: Mapping[str, tuple[ReceiptFile, ...]]
    run: str = ""
    command: tuple[str, ...] = ()
    env: Mapping[str, str] | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """The step as plain JSON."""
        what: dict[str, JsonValue] = {"run": self.run}
        if self.command:
            what = {"command": list(self.command), "env": dict(self.env or {})}
        return {
            "name": self.name,
            "environment": self.environment,
            **what,
            "code": self.code,
            "seconds": self.seconds,
            "inputs": {name: [file.as_json() for file in files] for name, files in self.inputs.items()},
            "outputs": {name: [file.as_json() for file in files] for name, files in self.outputs.items()},
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    """Everything that a run was made of. `task_sha256` is the hash of the task's definition, `options` by step.

    `file_sets` are the files of inputs that take several, such as pictures that were given with an option. One that was
    read is `intact` if its seal is that of its content.
    """

    task: str
    task_sha256: str
    envguard: str
    date: str
    options: Mapping[str, Mapping[str, JsonValue]]
    environments: tuple[ReceiptEnvironment, ...]
    steps: tuple[ReceiptStep, ...]
    inputs: Mapping[str, ReceiptFile]
    outputs: Mapping[str, ReceiptFile]
    file_sets: Mapping[str, tuple[ReceiptFile, ...]] = field(default_factory=dict)
    intact: bool = True

    def as_json(self) -> dict[str, JsonValue]:
        """The document that is written, under its seal."""
        document = self._unsealed()
        return {**document, "seal": _seal(document)}

    def _unsealed(self) -> dict[str, JsonValue]:
        sets: JsonValue = {name: [file.as_json() for file in files] for name, files in self.file_sets.items()}
        return {
            "schema": SCHEMA,
            "envguard": self.envguard,
            "date": self.date,
            "task": {"name": self.task, "sha256": self.task_sha256},
            "options": {name: dict(options) for name, options in self.options.items()},
            "environments": [environment.as_json() for environment in self.environments],
            "steps": [step.as_json() for step in self.steps],
            "inputs": {name: file.as_json() for name, file in self.inputs.items()},
            "outputs": {name: file.as_json() for name, file in self.outputs.items()},
            **({"file_sets": sets} if sets else {}),
        }

    def text(self) -> str:
        """The file's content."""
        return json.dumps(self.as_json(), indent=2) + "\n"


def make_receipt(order: TaskOrder, result: TaskResult, samples: Mapping[str, Reference]) -> Receipt:
    """The receipt of a run that has outputs; `samples` are the inputs that were named as `sample:NAME`."""
    task, record = order.task, result.record
    files = {name: tuple(_file(facts, samples.get(name)) for facts in result.inputs[name]) for name in result.inputs}
    return Receipt(
        task=task.name,
        task_sha256=task_digest(task),
        envguard=record.envguard,
        date=record.date,
        options={name: json_table(dict(values)) for name, values in order.options.items()},
        environments=tuple(map(environment_of, result.environments)),
        steps=tuple(
            _step(step, result.handed_over[step.name], seconds)
            for step, seconds in zip(task.verdict_steps, (each.seconds for each in record.steps), strict=True)
        ),
        inputs={name: files[name][0] for name in files if name in task.inputs},
        outputs={name: _file(facts) for name, facts in result.outputs.items()},
        file_sets={name: files[name] for name in files if name not in task.inputs},
    )


def environment_of(prepared: Prepared) -> ReceiptEnvironment:
    """What a receipt says of an environment; nothing of where on this host it lies."""
    candidate = prepared.candidate
    facts = candidate.interpreter.facts
    return ReceiptEnvironment(
        name=candidate.environment.name,
        edition=candidate.edition.name,
        lock=candidate.lock.digest,
        python=candidate.interpreter.version_text,
        build=facts.build,
        platform=facts.platform,
        libc=facts.libc_text,
        frozen=candidate.stale,
    )


def receipt_path(target: Path, task: Task) -> Path:
    """Where the receipt lies: beside the output, or in the folder of several."""
    if len(task.outputs) == 1:
        return target.with_name(target.name + SUFFIX)
    return target / f"{task.name}{SUFFIX}"


def read_receipt(path: Path) -> Receipt:
    """Read a receipt that anybody may have written; raises BrokenData that names the place that is wrong."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_RECEIPT + 1)
        if len(raw) > LARGEST_RECEIPT:
            raise ValueError(f"it has more than {LARGEST_RECEIPT} bytes, which no receipt has")
        document = parse_json(raw.decode("utf-8"))
    except (OSError, ValueError) as error:
        raise BrokenData(
            f"The receipt {path.name} cannot be read.",
            why=str(error) or type(error).__name__,
            next_step="Name a file that `envguard run` wrote beside its output.",
        ) from error
    return receipt_from(document, path.name)


def receipt_from(document: object, source: str) -> Receipt:
    """A receipt from parsed JSON; `source` is the name that errors give it."""
    table = TableReader(document, source)
    unsealed = {name: value for name, value in document.items() if name != "seal"} if isinstance(document, dict) else {}
    if table.take("schema", integer) != SCHEMA:
        table.refuse("schema", f"is not {SCHEMA}, which this envguard reads")
    task, task_sha256 = table.inner("task", _read_task)
    receipt = Receipt(
        task=task,
        task_sha256=task_sha256,
        envguard=table.take("envguard", text),
        date=table.take("date", match(_MOMENT, "a moment in UTC")),
        options=table.take("options", _options),
        environments=table.each("environments", _read_environment),
        steps=table.each("steps", _read_step),
        inputs=table.named("inputs", lambda _, each: _read_file(each)),
        outputs=table.named("outputs", lambda _, each: _read_file(each)),
        file_sets=table.named_arrays("file_sets", _read_file) if "file_sets" in table else {},
        intact=table.take("seal", sha256_text, "") == _seal(unsealed),
    )
    if not receipt.outputs:
        table.refuse("outputs", "must name at least one file")
    table.done()
    return receipt


def _seal(document: Mapping[str, object]) -> str:
    """SHA-256 in hex over everything that a receipt says, however its JSON is laid out."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _step(step: Step, handed_over: HandedOver, seconds: float) -> ReceiptStep:
    command = step if isinstance(step, CommandStep) else None
    return ReceiptStep(
        name=step.name,
        environment=step.environment,
        code=handed_over.code,
        seconds=round(seconds, 3),
        inputs={
            name: tuple(_file(facts, step.inputs[name]) for facts in files)
            for name, files in handed_over.inputs.items()
        },
        outputs={name: (_file(facts),) for name, facts in handed_over.outputs.items()},
        run="" if isinstance(step, CommandStep) else step.run,
        command=recorded_command(command) if command else (),
        env=recorded_env(command) if command else None,
    )


def recorded_command(step: CommandStep) -> tuple[str, ...]:
    """A step's command as receipts record it: the hash of an argument that holds a secret."""
    return tuple(hashed_if_secret("", argument) for argument in step.command)


def recorded_env(step: CommandStep) -> dict[str, str]:
    """A step's own variables as receipts record them: of a secret only the hash."""
    return {name: hashed_if_secret(name, value) for name, value in step.env.items()}


def _file(facts: FileFacts, source: Reference | None = None) -> ReceiptFile:
    return ReceiptFile(facts.path.name, facts.bytes, facts.sha256, source)


def _read_task(table: TableReader) -> tuple[str, str]:
    return table.take("name", name_text), table.take("sha256", sha256_text)


def _read_environment(table: TableReader) -> ReceiptEnvironment:
    return ReceiptEnvironment(
        name=table.take("name", name_text),
        edition=table.take("edition", name_text),
        lock=table.take("lock", sha256_text),
        python=table.take("python", text),
        build=table.take("build", _any_text),
        platform=table.take("platform", text),
        libc=table.take("libc", _any_text),
        frozen=table.take("frozen", text, ""),
    )


def _read_step(table: TableReader) -> ReceiptStep:
    is_command = "command" in table
    return ReceiptStep(
        name=table.take("name", name_text),
        environment=table.take("environment", name_text),
        code=table.take("code", match(_CODE, "a SHA-256 in lower-case hex, or empty")),
        seconds=table.take("seconds", number),
        inputs=table.named_arrays("inputs", _read_file),
        outputs=table.named_arrays("outputs", _read_file),
        run="" if is_command else table.take("run", text),
        command=table.take("command", list_of(text, least=1)) if is_command else (),
        env=table.take("env", table_of(text, text), NO_TEXTS) if is_command else None,
    )


def _read_file(table: TableReader) -> ReceiptFile:
    return ReceiptFile(
        file=table.take("file", _file_name),
        bytes=table.take("bytes", integer),
        sha256=table.take("sha256", sha256_text),
        source=table.take("from", reference_of) if "from" in table else None,
    )


def _file_name(value: object) -> str:
    name = match(_FILE, "a file's name without a folder")(value)
    if Path(name).name != name:  # on Windows also `C:x` and `a\\b`
        raise ValueError("must be a file's name without a folder")
    return name


def _options(value: object) -> Mapping[str, Mapping[str, JsonValue]]:
    if not isinstance(value, dict):
        raise ValueError("must be a table")
    return {name_text(name): json_table(options) for name, options in value.items()}


def _any_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return value

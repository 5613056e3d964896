"""The receipt of a run: what was made of what, by which code, in which environments; enough to do it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envguard.catalog.model import CommandStep, Step, Task
from envguard.files import FileFacts, FolderFacts
from envguard.host.secrets import hashed_if_secret
from envguard.payload.contract import Reference, StepRecord
from envguard.running.code_digest import task_digest
from envguard.running.commands.outside import NOTHING, FromOutside
from envguard.running.environments.prepared import Prepared
from envguard.running.pipeline import TaskResult
from envguard.running.task_order import TaskOrder
from envguard.running.task_run import HandedOver
from envguard.table_reader import JsonValue, json_table

SCHEMA = 1
SUFFIX = ".receipt.json"


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """A file of the run, or a folder as a whole, without where it lay; `source` is the reference that it was had by."""

    file: str
    bytes: int
    sha256: str
    source: Reference | None = None
    is_folder: bool = False

    def as_json(self) -> dict[str, JsonValue]:
        """The file as plain JSON."""
        facts: dict[str, JsonValue] = {"file": self.file, "bytes": self.bytes, "sha256": self.sha256}
        facts |= {"folder": True} if self.is_folder else {}
        return {**facts, "from": str(self.source)} if self.source else facts


@dataclass(frozen=True, slots=True)
class ReceiptEnvironment:
    """An environment: its lock, and the interpreter and platform that it stood on.

    `frozen` says how the lock differed from what the catalog asked for, in a run with --frozen; else it is empty.
    `project` is the SHA-256 of the sources of each package of the project's own that was installed in it, by its path.
    """

    name: str
    edition: str
    lock: str
    python: str
    build: str
    platform: str
    libc: str
    frozen: str = ""
    project: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, JsonValue]:
        """The environment as plain JSON."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value or name not in ("frozen", "project")}


@dataclass(frozen=True, slots=True)
class ReceiptStep:
    """A step: what ran (`run`, a payload step, or `command`), the hash of its code, and the files handed over.

    `outside` is what a command had that no lock pins. One that was `reused` was not run again: it is of that date.
    """

    name: str
    environment: str
    code: str
    seconds: float
    inputs: Mapping[str, tuple[ReceiptFile, ...]]
    outputs: Mapping[str, tuple[ReceiptFile, ...]]
    run: str = ""
    command: tuple[str, ...] = ()
    env: Mapping[str, str] | None = None
    outside: FromOutside = NOTHING
    reused: str = ""

    def as_json(self) -> dict[str, JsonValue]:
        """The step as plain JSON."""
        what: dict[str, JsonValue] = {"run": self.run}
        if self.command:
            what = {"command": list(self.command), "env": dict(self.env or {})}
            what |= self.outside.as_json()
        return {
            "name": self.name,
            "environment": self.environment,
            **what,
            "code": self.code,
            "seconds": self.seconds,
            **({"reused": self.reused} if self.reused else {}),
            "inputs": {name: [file.as_json() for file in files] for name, files in self.inputs.items()},
            "outputs": {name: [file.as_json() for file in files] for name, files in self.outputs.items()},
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    """Everything that a run was made of. `task_sha256` is the hash of the task's definition, `options` by step.

    `file_sets` are the files of inputs that take several, such as pictures that were given with an option. One that was
    read is `intact` if its seal is that of its content. Where nobody got an output, the `verdict` is what came of it.
    `before` are the receipts of the tasks that it depended on.
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
    verdict: str = ""
    before: tuple[Receipt, ...] = ()

    def as_json(self) -> dict[str, JsonValue]:
        """The document that is written, under its seal."""
        document = self._unsealed()
        return {**document, "seal": seal_of(document)}

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
            **({"verdict": self.verdict} if self.verdict else {}),
            **({"depends_on": [each.as_json() for each in self.before]} if self.before else {}),
        }

    def text(self) -> str:
        """The file's content."""
        return json.dumps(self.as_json(), indent=2) + "\n"


def make_receipt(order: TaskOrder, result: TaskResult, samples: Mapping[str, Reference]) -> Receipt:
    """The receipt of a run; `samples` are the inputs that were named as `sample:NAME`."""
    task, record = order.task, result.record
    steps = {step.name: step for step in task.steps}
    files = {name: tuple(_file(facts, samples.get(name)) for facts in result.inputs[name]) for name in result.inputs}
    return Receipt(
        task=task.name,
        task_sha256=task_digest(task),
        envguard=record.envguard,
        date=record.date,
        options={name: json_table(dict(values)) for name, values in order.options.items()},
        environments=tuple(map(environment_of, result.environments)),
        steps=tuple(_step(steps[each.name], result.handed_over[each.name], each) for each in record.steps),
        inputs={name: files[name][0] for name in files if name in task.inputs},
        outputs={name: _file(facts) for name, facts in result.outputs.items()},
        file_sets={name: files[name] for name in files if name not in task.inputs},
        verdict="" if result.outputs else record.verdict,
        before=tuple(make_receipt(each.order, each, samples) for each in result.before),
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
        project=dict(candidate.own.sources),
    )


def receipt_path(target: Path, task: Task) -> Path:
    """Where the receipt lies: beside the output, or in the folder of several."""
    if len(task.outputs) == 1:
        return target.with_name(target.name + SUFFIX)
    return target / f"{task.name}{SUFFIX}"


def seal_of(document: Mapping[str, object]) -> str:
    """SHA-256 in hex over everything that a receipt says, however its JSON is laid out."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _step(step: Step, handed_over: HandedOver, record: StepRecord) -> ReceiptStep:
    command = step if isinstance(step, CommandStep) else None
    return ReceiptStep(
        name=step.name,
        environment=step.environment,
        code=handed_over.code,
        seconds=round(record.seconds, 3),
        reused=record.reused,
        outside=handed_over.outside,
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
    return ReceiptFile(facts.path.name, facts.bytes, facts.sha256, source, isinstance(facts, FolderFacts))

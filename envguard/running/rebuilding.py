"""Is a receipt true? The files beside it are compared with it, and the run is done again and compared too."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from envguard.catalog.model import CommandStep, PayloadStep, Step, Task
from envguard.errors import BadInput, EnvguardError, NoEnvironment, NotAllowed, StepFailed
from envguard.files import FileFacts, facts_of
from envguard.payload.contract import SAMPLE, ToolchainDifference
from envguard.running.code_digest import code_digest, task_digest
from envguard.running.commands.tools import tools_of
from envguard.running.environments.preparing import Workshop
from envguard.running.pipeline import run_task
from envguard.running.receipt import Receipt, ReceiptFile, environment_of, make_receipt
from envguard.running.task_order import TaskOrder
from envguard.store.scratch import runs_folder, scratch_folder

Verdict = Literal["MATCH", "DIFF", "TOOLCHAIN DIFFERS"]
FileState = Literal["match", "diff", "missing"]
SHOWN = 3


class CannotRebuild(EnvguardError):
    """The run of a receipt cannot be done again on this host (exit code 3)."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class FileFound:
    """What became of a file that a receipt names: the same bytes, others, or nothing there; and where it was sought."""

    name: str
    file: str
    state: FileState
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What doing the run again gave: its outputs compared, what differs in the toolchain, and why there is no output.

    The toolchain is the task's definition, each step's code, and each environment's lock, interpreter and platform.
    `untrue` is what the receipt says of the run and cannot have been so with this toolchain.
    """

    outputs: tuple[FileFound, ...]
    differences: tuple[ToolchainDifference, ...]
    failure: str = ""
    untrue: tuple[ToolchainDifference, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Another toolchain says nothing of the receipt, whatever it made; the same one must make the same bytes."""
        if self.differences:
            return "TOOLCHAIN DIFFERS"
        same = not self.failure and not self.untrue and all(each.state == "match" for each in self.outputs)
        return "MATCH" if same else "DIFF"


def find_outputs(receipt: Receipt, folder: Path) -> tuple[FileFound, ...]:
    """The receipt's outputs as they lie beside it."""
    return tuple(_compare(name, file, folder / file.file, sizes=True) for name, file in receipt.outputs.items())


def find_inputs(receipt: Receipt, folder: Path, named: Sequence[Path]) -> tuple[FileFound, ...]:
    """The receipt's inputs: those of the `named` files that have their bytes, else what lies beside the receipt.

    Of a named folder every file in it is meant that is an input. Raises BadInput where a named file is none of them.
    """
    recorded = [(name, file) for name, file in receipt.inputs.items()]
    recorded += [(name, file) for name, files in receipt.file_sets.items() for file in files]
    wanted = {file.sha256 for _, file in recorded}
    by_hash: dict[str, Path] = {}
    for path in named:
        found = {_facts(each).sha256: each for each in _files_at(path)}
        if wanted.isdisjoint(found):
            raise BadInput(
                f"{path} is not an input of this receipt.",
                why=f"recorded are {_named(file for _, file in recorded)}",
                next_step="Name the file that the run was made with.",
            )
        by_hash |= found
    return tuple(_compare(name, file, by_hash.get(file.sha256, folder / file.file)) for name, file in recorded)


def _named(files: Iterable[ReceiptFile]) -> str:
    """The first few of the files, and how many more there are."""
    texts = [f"{file.file} {file.sha256[:16]}…" for file in files]
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more if texts else "none"


def _files_at(path: Path) -> list[Path]:
    return [path, *sorted(each for each in path.iterdir() if each.is_file())] if path.is_dir() else [path]


def rebuild(receipt: Receipt, inputs: Sequence[FileFound], workshop: Workshop) -> Rebuilt:
    """Do the run again from the same inputs, in the recorded editions and Pythons as far as they can be had.

    The tasks that ran before it are done again first. Raises CannotRebuild where the task or an input is missing, or no
    environment can be had.
    """
    before = [rebuild(each, inputs, workshop) for each in receipt.before]
    return _joined(before, _rebuild(receipt, inputs, workshop))


def _joined(before: Sequence[Rebuilt], own: Rebuilt) -> Rebuilt:
    """One result for a run and those before it, whose outputs nobody got."""
    every = (*before, own)
    return Rebuilt(
        own.outputs,
        tuple(difference for each in every for difference in each.differences),
        "; ".join(each.failure for each in every if each.failure),
        tuple(untrue for each in every for untrue in each.untrue),
    )


def _rebuild(receipt: Receipt, inputs: Sequence[FileFound], workshop: Workshop) -> Rebuilt:
    task = workshop.catalog.tasks.get(receipt.task)
    if task is None:
        raise CannotRebuild(
            f"There is no task {receipt.task!r} here.",
            why=f"known are {', '.join(workshop.catalog.tasks)}",
            next_step="Go to the project that the receipt is from, or name it with --project.",
        )
    task = task.including([step.name for step in receipt.steps])
    editions, pythons = _recorded_choice(receipt, workshop)
    workshop = dataclasses.replace(workshop, editions=editions, pythons=pythons)
    try:
        sources = _sources(receipt, inputs, task, workshop)
        differences = (
            *_differ("the definition of the task", receipt.task_sha256, task_digest(task)),
            *_code(receipt, task),
            *_environments(receipt, task, workshop),
            *_tools(receipt, task, workshop),
        )
        with scratch_folder(runs_folder(workshop.home)) as folder:
            options = {name: dict(values) for name, values in receipt.options.items()}
            order = TaskOrder(task, sources, folder / "rebuilt", options, fresh=True)
            result = run_task(order, workshop)
            again = make_receipt(order, result, {})
    except StepFailed as error:
        return Rebuilt((), differences, f"{error.what} {error.why}")
    except NotAllowed:
        raise
    except (NoEnvironment, BadInput) as error:
        raise CannotRebuild(error.what, why=error.why, next_step=error.next_step) from error
    untrue = () if differences else tuple(_untrue(receipt, again, task))
    failure = "; ".join(f"{each.name}: {each.message}" for each in result.record.failures)
    if receipt.verdict:
        untrue += () if differences else _differ(f"verdict of {task.name}", receipt.verdict, result.record.verdict)
        failure = "" if receipt.verdict == result.record.verdict else failure
    return Rebuilt(_outputs(receipt, result.outputs), differences, failure, untrue)


def _untrue(receipt: Receipt, again: Receipt, task: Task) -> Iterator[ToolchainDifference]:
    """What a receipt says of the run that cannot have been so: other commands, variables, options or sizes of files."""
    steps = {step.name: step for step in again.steps}
    for step in receipt.steps:
        here = steps.get(step.name)
        for what in ("environment", "run", "command", "env"):
            recorded, found = getattr(step, what), getattr(here, what, None)
            yield from _differ(f"{what} of step {step.name}", _said(recorded), _said(found))
    takes_options = {step.name for step in task.steps if isinstance(step, PayloadStep)}
    for name in receipt.options.keys() - takes_options:
        yield ToolchainDifference(f"options of step {name}", _said(receipt.options[name]), "it takes none")
    sizes = {file.sha256: file.bytes for file in _every_file(again)}
    for file in _every_file(receipt):
        yield from _differ(f"size of {file.file}", f"{file.bytes}", f"{sizes.get(file.sha256, file.bytes)}")


def _every_file(receipt: Receipt) -> Iterator[ReceiptFile]:
    """Every file that a receipt tells of, as often as it does."""
    yield from (*receipt.inputs.values(), *receipt.outputs.values())
    for files in receipt.file_sets.values():
        yield from files
    for step in receipt.steps:
        for handed_over in (*step.inputs.values(), *step.outputs.values()):
            yield from handed_over


def _said(value: object) -> str:
    """A part of a receipt as a text; a mapping's order says nothing."""
    return json.dumps(value, sort_keys=True, default=dict)


def _recorded_choice(receipt: Receipt, workshop: Workshop) -> tuple[dict[str, str], dict[str, str]]:
    """The recorded editions and Python minors, by environment, of those that can be had here."""
    editions: dict[str, str] = {}
    pythons: dict[str, str] = {}
    for each in receipt.environments:
        environment = workshop.catalog.environments.get(each.name)
        if environment is None or environment.edition(each.edition) is None:
            continue
        editions[each.name] = each.edition
        minor = ".".join(each.python.split(".")[:2])
        with contextlib.suppress(NoEnvironment):
            workshop.plan(each.name, edition=each.edition, python=minor)
            pythons[each.name] = minor
    return editions, pythons


def _sources(
    receipt: Receipt, inputs: Sequence[FileFound], task: Task, workshop: Workshop
) -> dict[str, tuple[Path, ...]]:
    """Each input of the run with the recorded bytes: what was found, or the sample that it was.

    Raises CannotRebuild for one that is not here.
    """
    recorded = {name: (file,) for name, file in receipt.inputs.items()} | dict(receipt.file_sets)
    unknown = [name for name in task.inputs if name not in recorded]
    if unknown:
        raise CannotRebuild(
            f"The input {unknown[0]!r} of the run is not here.",
            why="the receipt does not name it",
            next_step="Run the task again; its definition has changed since.",
        )
    here = {(found.name, found.file): found.path for found in inputs if found.state == "match"}
    sources: dict[str, tuple[Path, ...]] = {}
    for name, files in recorded.items():
        paths = [here.get((name, file.file)) or _sample(file, workshop) for file in files]
        sources[name] = tuple(path for path in paths if path is not None)
        if len(sources[name]) < len(files):
            missing = next(file for file, path in zip(files, paths, strict=True) if path is None)
            raise CannotRebuild(
                f"The input {name!r} of the run is not here.",
                why=f"{missing.file} with SHA-256 {missing.sha256[:16]}…",
                next_step="Name the file with --input."
                if len(files) == 1
                else "Name the folder of these files with --input.",
            )
    return sources


def _sample(file: ReceiptFile, workshop: Workshop) -> Path | None:
    """The file of the sample that an input was named as, if there is one and it has the recorded bytes."""
    source = file.source
    if source is None or source.source != SAMPLE or source.name not in workshop.catalog.samples:
        return None
    return next((path for path in workshop.sample(source.name).values() if _facts(path).sha256 == file.sha256), None)


def _environments(receipt: Receipt, task: Task, workshop: Workshop) -> Iterator[ToolchainDifference]:
    found = {name: environment_of(workshop.prepare(name)) for name in workshop.catalog.environments_of(task)}
    recorded = {each.name: each for each in receipt.environments}
    for name in dict.fromkeys((*recorded, *found)):
        here, there = found.get(name), recorded.get(name)
        if here is None or there is None:
            yield ToolchainDifference(
                f"environment {name}", "used" if there else "not used", "used" if here else "not used"
            )
            continue
        for field in ("edition", "lock", "python", "build", "platform", "libc", "frozen"):
            yield from _differ(f"{field} of {name}", getattr(there, field), getattr(here, field))
        for path in sorted({*there.project, *here.project}):
            what = f"code of the package in {path}, in {name}"
            yield from _differ(what, there.project.get(path, "not installed"), here.project.get(path, "not installed"))


def _code(receipt: Receipt, task: Task) -> Iterator[ToolchainDifference]:
    recorded = {step.name: step.code for step in receipt.steps}
    for step in _steps_to_compare(receipt, task):
        yield from _differ(f"code of step {step.name}", recorded.get(step.name, ""), code_digest(step, task.folder))


def _steps_to_compare(receipt: Receipt, task: Task) -> Iterator[Step]:
    """Those of the verdict; in a run that ended in a no without outputs, some may have had nothing to work on."""
    ran = {step.name for step in receipt.steps}
    return (step for step in task.verdict_steps if step.name in ran or not receipt.verdict)


def _tools(receipt: Receipt, task: Task, workshop: Workshop) -> Iterator[ToolchainDifference]:
    """The programs of the host that are not those of the run."""
    recorded = {step.name: step.outside.tools for step in receipt.steps}
    for step in _steps_to_compare(receipt, task):
        if isinstance(step, CommandStep):
            for name, tool in tools_of(step, workshop.environ).items():
                before = recorded.get(step.name, {}).get(name)
                yield from _differ(f"{name} of step {step.name}", str(before or "not recorded"), str(tool))


def _differ(what: str, recorded: str, found: str) -> tuple[ToolchainDifference, ...]:
    return () if recorded == found else (ToolchainDifference(what, recorded, found),)


def _outputs(receipt: Receipt, made: Mapping[str, FileFacts]) -> tuple[FileFound, ...]:
    found = []
    for name, file in receipt.outputs.items():
        state: FileState = "missing"
        if name in made:
            state = "match" if _is(made[name], file) else "diff"
        found.append(FileFound(name, file.file, state))
    return tuple(found)


def _compare(name: str, file: ReceiptFile, path: Path, *, sizes: bool = False) -> FileFound:
    """A file by its content; of an input, a size that is not true is told by what is done again."""
    if not (path.is_dir() if file.is_folder else path.is_file()):
        return FileFound(name, file.file, "missing")
    facts = _facts(path)
    same = _is(facts, file) if sizes else facts.sha256 == file.sha256
    return FileFound(name, file.file, "match" if same else "diff", path)


def _is(facts: FileFacts, file: ReceiptFile) -> bool:
    return (facts.sha256, facts.bytes) == (file.sha256, file.bytes)


def _facts(path: Path) -> FileFacts:
    try:
        return facts_of(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be read.", why=str(error), next_step="Check the path and its rights.") from error

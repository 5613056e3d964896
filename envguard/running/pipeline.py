"""Run a task: its steps in order, each in its own environment, files handed on by hash; then a verdict."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envguard.backends.protocol import Workspace
from envguard.catalog.model import Catalog, CommandStep, PayloadStep, Step, Task
from envguard.errors import BadInput, StepFailed
from envguard.files import FileFacts, appearing_whole
from envguard.payload.door.references import FILE, SAMPLE, TASK, Reference
from envguard.running.code import code_digest
from envguard.running.command_step import CommandRun, check_script, run_command_step
from envguard.running.events import StepEnded, StepNote, StepProgress, StepStarted
from envguard.running.preparing import Prepared, Workshop
from envguard.running.shelf import Shelf, Watch
from envguard.running.step import GateFailure, StepResult, run_step, scratch_folder
from envguard.store.home import log_file, runs_folder

Overrides = Mapping[str, Mapping[str, object]]
Alone = Callable[[], contextlib.AbstractContextManager[None]]
NOTHING: Mapping[Reference, Path] = {}


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What a step was given and what it made, files by the step's own names for them; and the hash of its code."""

    code: str
    inputs: Mapping[str, tuple[FileFacts, ...]]
    outputs: Mapping[str, FileFacts]


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What a task did: the verdict is yes where no gate failed, and only then there are outputs.

    `inputs` and `outputs` are the user's files by the task's names for them.
    """

    task: str
    inputs: Mapping[str, FileFacts]
    outputs: Mapping[str, FileFacts]
    steps: Mapping[str, StepResult]
    handed_over: Mapping[str, HandedOver]
    failures: tuple[GateFailure, ...]
    environments: tuple[Prepared, ...]

    @property
    def passed(self) -> bool:
        """Whether every gate was passed."""
        return not self.failures

    @property
    def input(self) -> FileFacts:
        """The first input, which of most tasks is the only one."""
        return next(iter(self.inputs.values()))

    @property
    def output(self) -> FileFacts | None:
        """The first output, which of most tasks is the only one; None where the verdict is no."""
        return next(iter(self.outputs.values()), None)


def run_task(
    task: Task,
    sources: Mapping[str, Path],
    target: Path | None,
    workshop: Workshop,
    options: Overrides,
    alone: Alone = contextlib.nullcontext,
    keep: Mapping[Reference, Path] = NOTHING,
) -> TaskResult:
    """Run every step of a task on copies of `sources`; the outputs appear whole at `target` if the verdict is yes.

    `target` is the output's path, or where the task has several the folder that they are put into; without one nobody
    gets them, and what the steps say is all. `options` by step name are laid over those of the catalog. Every
    environment is made ready before the first step starts, so that a run does not stop half-way for want of one. A step
    that measures times runs inside `alone`, which where several runs go on at once keeps the others waiting. `keep`
    says where to copy files that steps hand on, by reference, whatever the verdict; what no step made is not copied.
    """
    for step in task.steps:
        if isinstance(step, CommandStep):
            check_script(step, task.folder)
    code = {step.name: code_digest(step, task.folder) for step in task.steps}
    with (
        workshop.holding(environments_of(task, workshop.catalog)) as environments,
        scratch_folder(runs_folder(workshop.home)) as folder,
    ):
        run = _Run(task, workshop, folder, Shelf(folder / "files"), code, options, alone)
        for name, source in sources.items():
            run.shelf.take(Reference(TASK, name), {source.name: source})
        failures = run.all_steps()
        for reference, kept in keep.items():
            if reference in run.shelf:
                shutil.copyfile(run.shelf[reference][0].path, kept)
        published = {} if failures or target is None else run.publish(target, sources.values())
        inputs = {name: run.shelf[Reference(TASK, name)][0] for name in sources}
    return TaskResult(
        task=task.name,
        inputs={name: FileFacts(sources[name], facts.bytes, facts.sha256) for name, facts in inputs.items()},
        outputs=published,
        steps=run.results,
        handed_over=run.handed_over,
        failures=failures,
        environments=environments,
    )


def environments_of(task: Task, catalog: Catalog) -> list[str]:
    """The environments that a task needs: of its steps and of the samples that they read."""
    names: dict[str, None] = {}
    for step in task.steps:
        names[step.environment] = None
        for reference in step.inputs.values():
            if reference.source == SAMPLE:
                names[catalog.samples[reference.name].environment] = None
    return list(names)


@dataclass(slots=True)
class _Run:
    """One run under way: the files so far, and what each step found."""

    task: Task
    workshop: Workshop
    folder: Path
    shelf: Shelf
    code: Mapping[str, str]
    options: Overrides
    alone: Alone
    results: dict[str, StepResult] = field(default_factory=dict)
    handed_over: dict[str, HandedOver] = field(default_factory=dict)

    def all_steps(self) -> tuple[GateFailure, ...]:
        """Run each step; after a failed gate the rest still runs for the report, but may not hide that failure."""
        failures: list[GateFailure] = []
        for step in self.task.steps:
            try:
                with self.alone() if step.measures else contextlib.nullcontext():
                    result = self.step(step)
            except StepFailed as error:
                if not failures:
                    raise
                failures.append(GateFailure(step.name, "step-failed", f"{error.what} {error.why}", error.next_step))
                break
            failures.extend(result.failures)
        return tuple(failures)

    def step(self, step: Step) -> StepResult:
        receive = self.workshop.receive
        receive(StepStarted(step.name, step.environment))
        for reference in step.inputs.values():
            self._fetch(reference)
        own = self.folder / "steps" / step.name
        own.mkdir(parents=True)
        given = {name: self.shelf.hand_out(ref, own / "in" / name) for name, ref in step.inputs.items()}
        facts = {name: self.shelf[reference] for name, reference in step.inputs.items()}
        known = {path: each.sha256 for name in given for path, each in zip(given[name], facts[name], strict=True)}
        watch = Watch(known)
        workspace = self._workspace(step, own / "work", given)
        if isinstance(step, CommandStep):
            result = self._run_command(step, given, workspace)
        else:
            result = self._run_payload(step, given, workspace)
        for path in watch.changed():
            raise StepFailed(
                f"The step {step.name!r} changed its input {path.name}.",
                why="later steps and the receipt would not know what they were given",
                next_step="Let it write to a file of its own.",
            )
        outputs = {
            name: self.shelf.add(Reference(step.name, name), _inside(workspace.folder, str(file)))
            for name, file in result.values.get("files", {}).items()
        }
        shutil.rmtree(own, ignore_errors=True)
        self.results[step.name] = result
        self.handed_over[step.name] = HandedOver(self.code[step.name], facts, outputs)
        receive(StepEnded(step.name, result.seconds, tuple(failure.name for failure in result.failures)))
        return result

    def publish(self, target: Path, sources: Iterable[Path]) -> dict[str, FileFacts]:
        """Hand the task's outputs to the user: each appears whole, and none before all are written."""
        files = {name: self._made(reference) for name, reference in self.task.outputs.items()}
        if len(files) == 1:
            targets = dict.fromkeys(files, target)
        else:
            target.mkdir(exist_ok=True)
            targets = {name: target / facts.path.name for name, facts in files.items()}
        for path, source in itertools.product(targets.values(), sources):
            if path.exists() and path.samefile(source):
                raise BadInput(
                    f"The output {path} is an input of the run.",
                    why="an input is never written to",
                    next_step="Name another folder with -o.",
                )
        with contextlib.ExitStack() as stack:
            for name, facts in files.items():
                out = stack.enter_context(appearing_whole(targets[name]))
                with facts.path.open("rb") as made:
                    shutil.copyfileobj(made, out)
        return {name: FileFacts(targets[name], facts.bytes, facts.sha256) for name, facts in files.items()}

    def _run_command(
        self, step: CommandStep, given: Mapping[str, tuple[Path, ...]], workspace: Workspace
    ) -> StepResult:
        run = CommandRun(
            workspace=workspace,
            project=self.task.folder,
            environ=self.workshop.environ,
            log=log_file(self.workshop.home, f"{self.task.name}-{step.name}"),
        )
        # Of several files a command is given the folder.
        paths = {name: files[0] if len(files) == 1 else files[0].parent for name, files in given.items()}
        return run_command_step(step, paths, run)

    def _run_payload(
        self, step: PayloadStep, given: Mapping[str, tuple[Path, ...]], workspace: Workspace
    ) -> StepResult:
        return run_step(
            workspace,
            step.run,
            name=step.name,
            inputs=given,
            options={**step.options, **self.options.get(step.name, {})},
            findings={name: result.findings for name, result in self.results.items() if result.findings},
            environ=self.workshop.environ,
            log=log_file(self.workshop.home, f"{self.task.name}-{step.name}"),
            on_event=lambda event: self._pass_on(step, event),
        )

    def _workspace(self, step: Step, work: Path, given: Mapping[str, tuple[Path, ...]]) -> Workspace:
        """Where a step runs: it sees what it was given, a command step also its project, and may write to `work`."""
        work.mkdir()
        folders = [files[0].parent for files in given.values()]
        code = [self.task.folder] if isinstance(step, CommandStep) else []
        return self.workshop.workspace(self.workshop.prepare(step.environment), work, [*folders, *code])

    def _fetch(self, reference: Reference) -> None:
        """Put a file that comes from outside the run on the shelf, when it is first wanted."""
        if reference in self.shelf:
            return
        if reference.source == SAMPLE:
            self.shelf.take(reference, self.workshop.sample(reference.name))
        elif reference.source == FILE:
            source = self.task.folder / reference.name
            try:
                self.shelf.take(reference, {source.name: source})
            except OSError as error:
                raise StepFailed(
                    f"The project's file {reference.name} cannot be read.",
                    why=str(error),
                    next_step="Restore it, or correct the reference in the catalog.",
                ) from error
        else:
            raise StepFailed(f"No step made '{reference}'.", next_step="Correct the reference in the catalog.")

    def _made(self, reference: Reference) -> FileFacts:
        if reference not in self.shelf:
            raise StepFailed(f"No step made '{reference}'.", next_step="Correct the task's outputs in the catalog.")
        return self.shelf[reference][0]

    def _pass_on(self, step: Step, event: dict[str, Any]) -> None:
        receive = self.workshop.receive
        if event.get("event") == "progress":
            receive(StepProgress(step.name, str(event["label"]), float(event["done"]), float(event["total"])))
        elif event.get("event") == "note":
            receive(StepNote(step.name, str(event["text"])))


def _inside(folder: Path, file: str) -> Path:
    """A file that a step made, which must lie in its scratch folder: a step may be fed with anything."""
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise StepFailed(
            f"A step handed on {file!r}, which is no file of its folder.",
            next_step="Run again with --debug and report it with `envguard report-bug`.",
        )
    return path

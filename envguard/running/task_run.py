"""One run under way: each step is given its files by hash and its workspace, and what it makes and finds is kept."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from envguard.backends.protocol import Workspace
from envguard.catalog.model import CommandStep, PayloadStep, Step
from envguard.errors import StepFailed
from envguard.files import FileFacts
from envguard.payload.contract import (
    FILE,
    NO,
    SAMPLE,
    Findings,
    Gate,
    Note,
    Reference,
    RefusedAttempt,
    settled,
    verdict_of,
)
from envguard.running.at_once.processes import Processes
from envguard.running.at_once.steps import processors, run_when_ready
from envguard.running.checking_files import refuse_folders
from envguard.running.command_step import CommandRun, judged_command_step, run_command_step
from envguard.running.commands.outside import NOTHING, FromOutside
from envguard.running.environments.preparing import Workshop
from envguard.running.events import StepEnded, StepNote, StepProgress, StepStarted, TriedAgain
from envguard.running.reuse.keys import Circumstances, key_of, may_be_kept
from envguard.running.reuse.results import keep_result, kept_result
from envguard.running.run_files import RunFiles, Watch, made_inside
from envguard.running.step import StepOrder, StepResult, Told, run_step, task_step
from envguard.running.task_order import Alone, TaskOrder
from envguard.store.scratch import log_file
from envguard.system.moving import remove_tree

REFUSED = "refused"
"""A step that is run again is given the files that it made before as inputs, each as `refused:NAME`."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What a step was given and what it made, files by the step's own names for them; and the hash of its code.

    `outside` is what it had besides that no lock pins.
    """

    code: str
    inputs: Mapping[str, tuple[FileFacts, ...]]
    outputs: Mapping[str, FileFacts]
    outside: FromOutside = NOTHING


@dataclass(frozen=True, slots=True)
class _Given:
    """What a step is given in its `own` folder: `files` by its names for them, of which `inputs` are those it names."""

    own: Path
    files: Mapping[str, tuple[Path, ...]]
    inputs: Mapping[str, tuple[FileFacts, ...]]
    watch: Watch
    workspace: Workspace


@dataclass(slots=True)
class TaskRun:
    """The files so far, and what each step found; `code` holds the hash of each step's code, `crash` what ended it.

    `refused` is what steps made before that gates refused; the rest is of what was made last.
    """

    order: TaskOrder
    workshop: Workshop
    folder: Path
    files: RunFiles
    code: Mapping[str, str]
    refused: list[RefusedAttempt] = field(default_factory=list)
    results: dict[str, StepResult] = field(default_factory=dict)
    handed_over: dict[str, HandedOver] = field(default_factory=dict)
    crash: Gate | None = None
    _processes: Processes = field(default_factory=Processes)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def gates(self) -> tuple[Gate, ...]:
        """Everything that was judged so far, and what could not be."""
        gates = [gate for result in self.results.values() for gate in result.findings.gates]
        return settled([*gates, self.crash] if self.crash else gates)

    @property
    def verdict(self) -> str:
        """The verdict so far."""
        return verdict_of(self.gates)

    def do(self, steps: Sequence[Step], alone: Alone) -> None:
        """Run each step; commands that need nothing of each other at the same time.

        A step of envguard's own is told what all before it found, so a task that has one runs in turn.
        """
        if all(isinstance(step, CommandStep) for step in steps):
            self._side_by_side(steps, alone)
        else:
            self._in_turn(steps, alone)

    def _side_by_side(self, steps: Sequence[Step], alone: Alone) -> None:
        def work(step: Step) -> None:
            if not self._lacks_input(step):
                self._step(step, alone)

        at_once = self.order.jobs or processors()
        failed = run_when_ready(steps, work, at_once=at_once, end=self._processes.end)
        names = [step.name for step in steps]  # whatever ended first
        self.results = {name: self.results[name] for name in names if name in self.results}
        self.handed_over = {name: self.handed_over[name] for name in self.results}
        if failed is not None:
            self._crashed(*failed)

    def _in_turn(self, steps: Sequence[Step], alone: Alone) -> None:
        """Run each step, and after a failed gate again from the step that can make something else.

        If none can, the rest still runs for the report, but may not hide that failure.
        """
        done: list[Step] = []
        while len(done) < len(steps):
            step = steps[len(done)]
            if self._lacks_input(step):
                done.append(step)
                continue
            try:
                self._step(step, alone)
                done.append(step)
                while self.verdict == NO and (maker := self._retried(done, alone)):
                    del done[done.index(maker) + 1 :]
            except StepFailed as error:
                self._crashed(step, error)
                return

    def _crashed(self, step: Step, error: Exception) -> None:
        """Keep what ended the run; raises it where no gate has said no before."""
        if not isinstance(error, StepFailed) or (self.verdict != NO and not self.refused):
            raise error
        self.crash = Gate(
            name="step-failed",
            what="Every step ends well",
            passed=False,
            message=f"{error.what} {error.why}",
            next=error.next_step,
            step=step.name,
        )

    def _lacks_input(self, step: Step) -> bool:
        """Whether an earlier step ended badly and made no file for this one; in a task without outputs, others run."""
        if self.order.task.outputs or self.verdict != NO:
            return False
        return any(each.step and each not in self.files and not each.optional for each in step.inputs.values())

    def _step(self, step: Step, alone: Alone, instead_of: Collection[str] = ()) -> bool:
        with alone() if step.measures else contextlib.nullcontext():
            return self.step(step, instead_of)

    def _retried(self, done: Sequence[Step], alone: Alone) -> PayloadStep | None:
        """The step that made something else in place of what the gates refused; None if none can."""
        failures = [gate for gate in self.gates if gate.failed]
        for number in reversed(range(len(done))):
            maker, result = done[number], self.results.get(done[number].name)
            since = {step.name for step in done[number:]}
            if (
                result is None
                or not isinstance(maker, PayloadStep)
                or result.findings.final
                or not self._retries_left(maker)
            ):
                continue
            if not all(gate.step in since for gate in failures):
                continue
            self.workshop.receive(TriedAgain(maker.name, tuple(gate.message for gate in failures)))
            self.refused.append(RefusedAttempt(maker.name, tuple(failures), result.findings.values))
            taken = False
            try:
                taken = self._step(maker, alone, since)
            finally:
                if not taken:
                    self.refused.pop()
            if taken:
                return maker
            self.results[maker.name] = replace(result, findings=replace(result.findings, final=True))
        return None

    def _retries_left(self, step: PayloadStep) -> int:
        return step.retries - len(self._refused_of(step))

    def _refused_of(self, step: Step) -> tuple[RefusedAttempt, ...]:
        return tuple(each for each in self.refused if each.step == step.name)

    def step(self, step: Step, instead_of: Collection[str] = ()) -> bool:
        """Run one step; raises StepFailed where it fails, changes an input, or hands on what is not its own.

        What it makes is taken `instead_of` what these steps did, itself among them. If it has nothing else to offer,
        that stays, and False is given back.
        """
        with self._turn:
            self.workshop.receive(StepStarted(step.name, step.environment))
            given = self._hand_out(step)
        key = self._key(step, given)
        result = kept_result(self.workshop.home, key, given.workspace.folder) if key and not self.order.fresh else None
        if result is None:
            result = self._run(step, given.files, given.workspace)
        with self._turn:
            taken = self._take(step, given, result, instead_of)
        if key and not result.reused:
            made = self.handed_over[step.name].outputs if taken else {}
            keep_result(self.workshop.home, key, step, result, made, self._log(step))
        return taken

    def _key(self, step: Step, given: _Given) -> str:
        """The key of the step's result in the store; empty if none is kept."""
        environment = self.workshop.prepare(step.environment)
        if not may_be_kept(step, self.order, environment):
            return ""
        own = isinstance(step, PayloadStep)
        circumstances = Circumstances(
            self.code[step.name],
            environment,
            given.inputs,
            self.workshop.environ,
            options=self.order.options.get(step.name, {}),
            findings=self._findings_before(step) if own else {},
            refused=self._refused_of(step),
            attempts_left=self._retries_left(step) if isinstance(step, PayloadStep) else 0,
            drivers=self.order.drivers.get(step.name, ""),
        )
        return key_of(step, circumstances)

    def _findings_before(self, step: Step) -> dict[str, Findings]:
        names = [each.name for each in self.order.task.steps]
        earlier = [name for name in names[: names.index(step.name)] if name in self.results]
        findings = {name: self.results[name].findings.values for name in earlier}
        return {name: values for name, values in findings.items() if values is not None}

    def _log(self, step: Step) -> Path:
        return log_file(self.workshop.home, f"{self.order.task.name}-{step.name}")

    def _hand_out(self, step: Step) -> _Given:
        wanted = {name: reference for name, reference in step.inputs.items() if self._fetch(reference)}
        before = {f"{REFUSED}:{each.name}": each for each in self.files.made_by(step.name)}
        own = self.folder / "steps" / step.name
        own.mkdir(parents=True)
        given = {name: self.files.hand_out(ref, own / "in" / name) for name, ref in wanted.items()}
        given |= {name: self.files.hand_out(ref, own / REFUSED / ref.name) for name, ref in before.items()}
        facts = {name: self.files[reference] for name, reference in (wanted | before).items()}
        watch = Watch({path: each for name in given for path, each in zip(given[name], facts[name], strict=True)})
        inputs = {name: facts[name] for name in wanted}
        return _Given(own, given, inputs, watch, self._workspace(step, own / "work", given))

    def _take(self, step: Step, given: _Given, result: StepResult, instead_of: Collection[str]) -> bool:
        for path in given.watch.changed():
            raise StepFailed(
                f"The step {step.name!r} changed its input {path.name}.",
                why="later steps and the receipt would not know what they were given",
                next_step="Let it write to a file of its own.",
            )
        if instead_of:
            if result.findings.values is None:
                remove_tree(given.own, ignore_errors=True)
                return False
            self._forget(instead_of)
        outputs = {
            name: self.files.add(Reference(step.name, name), made_inside(given.workspace.folder, file))
            for name, file in result.findings.files.items()
        }
        remove_tree(given.own, ignore_errors=True)
        self.results[step.name] = result
        self.handed_over[step.name] = HandedOver(self.code[step.name], given.inputs, outputs, result.outside)
        if result.reused:
            for note in result.notes:
                self.workshop.receive(StepNote(step.name, note))
        failures = tuple(gate.name for gate in result.failures)
        self.workshop.receive(StepEnded(step.name, result.seconds, failures, result.reused))
        return True

    def _forget(self, steps: Collection[str]) -> None:
        self.files.forget(steps)
        for name in steps:
            self.results.pop(name, None)
            self.handed_over.pop(name, None)

    def _run(self, step: Step, given: Mapping[str, tuple[Path, ...]], workspace: Workspace) -> StepResult:
        environ = self.workshop.environ
        log = self._log(step)
        if isinstance(step, CommandStep):
            # Of several files a command is given the folder.
            paths = {name: files[0] if len(files) == 1 else files[0].parent for name, files in given.items()}
            command = CommandRun(workspace, self.order.task.folder, environ, log, self._processes)
            run = run_command_step if self.order.task.outputs else judged_command_step
            return run(step, paths, command)
        refuse_folders(step, given)
        told = StepOrder(
            task_step(step, self.order.options.get(step.name, {})),
            given,
            findings=self._findings_before(step),
            refused=self._refused_of(step),
            attempts_left=self._retries_left(step),
            timeout=step.timeout,
        )
        return run_step(workspace, told, environ=environ, log=log, tell=lambda event: self._pass_on(step, event))

    def _workspace(self, step: Step, work: Path, given: Mapping[str, tuple[Path, ...]]) -> Workspace:
        """Where a step runs: it sees what it was given, a command step also its project, and may write to `work`."""
        work.mkdir()
        folders = [files[0].parent for files in given.values()]
        code = [self.order.task.folder] if isinstance(step, CommandStep) else []
        return self.workshop.workspace(self.workshop.prepare(step.environment), work, [*folders, *code])

    def _fetch(self, reference: Reference) -> bool:
        """Whether the files of a reference are there; those from outside the run are fetched when first wanted."""
        if reference in self.files:
            return True
        if reference.source == SAMPLE:
            self.files.take(reference, self.workshop.sample(reference.name))
        elif reference.source == FILE:
            self._fetch_file(reference)
        elif not reference.optional:
            raise StepFailed(f"No step made '{reference}'.", next_step="Correct the reference in the catalog.")
        return reference in self.files

    def _fetch_file(self, reference: Reference) -> None:
        source = self.order.task.folder / reference.name
        try:
            self.files.take(reference, {source.name: source})
        except OSError as error:
            raise StepFailed(
                f"The project's file {reference.name} cannot be read.",
                why=str(error),
                next_step="Restore it, or correct the reference in the catalog.",
            ) from error

    def _pass_on(self, step: PayloadStep, event: Told) -> None:
        if isinstance(event, Note):
            self.workshop.receive(StepNote(step.name, event.text))
        else:
            self.workshop.receive(StepProgress(step.name, event.label, event.done, event.total))

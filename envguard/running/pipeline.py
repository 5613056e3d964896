"""Run a task: its steps in order, each in its own environment, files handed on by reference; then a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envguard.catalog.model import Catalog, Step, Task
from envguard.errors import StepFailed
from envguard.files import FileFacts, copy_whole
from envguard.running.events import StepEnded, StepNote, StepProgress, StepStarted
from envguard.running.preparing import Prepared, Workshop
from envguard.running.step import GateFailure, StepResult, run_step, scratch_folder
from envguard.store.home import logs_folder, runs_folder

Overrides = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What a task did: the verdict is yes where no gate failed, and only then there is an output."""

    task: str
    input: FileFacts
    output: FileFacts | None
    steps: Mapping[str, StepResult]
    failures: tuple[GateFailure, ...]
    environments: tuple[Prepared, ...]

    @property
    def passed(self) -> bool:
        """Whether every gate was passed."""
        return not self.failures


def run_task(task: Task, source: Path, output: Path, workshop: Workshop, options: Overrides) -> TaskResult:
    """Run every step of a task on a copy of `source`; the output appears whole at `output` if the verdict is yes.

    `options` by step name are laid over those of the catalog. Every environment is made ready before the first step
    starts, so that a run does not stop half-way for want of one.
    """
    names = dict.fromkeys(name for step in task.steps for name in environments_of(step, workshop.catalog))
    environments = tuple(workshop.prepare(name) for name in names)
    with scratch_folder(runs_folder(workshop.home)) as folder:
        taken = folder / "input"
        taken.mkdir()
        copied = copy_whole(source, taken / source.name)
        run = _Run(workshop, folder, {"task:input": {"input": copied.path}}, {}, options)
        failures = run.all_steps(task)
        published = None
        if not failures:
            (result,) = run.files[task.output].values()
            published = copy_whole(result, output)
    return TaskResult(
        task=task.name,
        input=FileFacts(source, copied.bytes, copied.sha256),
        output=published,
        steps=run.results,
        failures=failures,
        environments=environments,
    )


def environments_of(step: Step, catalog: Catalog) -> list[str]:
    """The environments that a step needs: its own and those of the samples that it reads."""
    samples = [
        catalog.samples[reference.partition(":")[2]].environment
        for reference in step.inputs.values()
        if reference.startswith("sample:")
    ]
    return [step.environment, *samples]


@dataclass(slots=True)
class _Run:
    """One run under way: the files that references stand for, and the results so far."""

    workshop: Workshop
    folder: Path
    files: dict[str, dict[str, Path]]
    results: dict[str, StepResult]
    options: Overrides

    def all_steps(self, task: Task) -> tuple[GateFailure, ...]:
        """Run each step; after a failed gate the rest still runs for the report, but may not hide that failure."""
        failures: list[GateFailure] = []
        for step in task.steps:
            try:
                result = self.step(step)
            except StepFailed as error:
                if not failures:
                    raise
                failures.append(GateFailure(step.name, "step-failed", f"{error.what} {error.why}", error.next_step))
                break
            failures.extend(result.failures)
        return tuple(failures)

    def step(self, step: Step) -> StepResult:
        prepared = self.workshop.prepare(step.environment)
        receive = self.workshop.receive
        receive(StepStarted(step.name, step.environment))
        result = run_step(
            prepared.built.layout.python,
            step.run,
            name=step.name,
            inputs=self._inputs(step),
            folder=self.folder,
            options={**step.options, **self.options.get(step.name, {})},
            results={name: dict(result.values) for name, result in self.results.items()},
            environ=self.workshop.environ,
            log=logs_folder(self.workshop.home) / f"{step.name}.log",
            on_event=lambda event: self._pass_on(step, event),
        )
        self.results[step.name] = result
        for name, file in result.values.get("files", {}).items():
            self.files[f"{step.name}:{name}"] = {name: self._inside(str(file))}
        receive(StepEnded(step.name, result.seconds, tuple(failure.name for failure in result.failures)))
        return result

    def _inputs(self, step: Step) -> dict[str, Path]:
        """A reference to one file keeps the input's name; of several each is `INPUT:FILE NAME`."""
        inputs: dict[str, Path] = {}
        for name, reference in step.inputs.items():
            if reference not in self.files:
                kind, _, target = reference.partition(":")
                assert kind == "sample", reference
                self.files[reference] = self.workshop.sample(target)
            found = self.files[reference]
            if len(found) == 1:
                inputs[name] = next(iter(found.values()))
            else:
                inputs.update({f"{name}:{file}": path for file, path in found.items()})
        return inputs

    def _inside(self, file: str) -> Path:
        """A file that a step made, which must lie in the run's folder: a step may be fed with anything."""
        path = (self.folder / file).resolve()
        if not path.is_relative_to(self.folder.resolve()) or not path.is_file():
            raise StepFailed(f"A step handed on {file!r}, which is no file of its folder.")
        return path

    def _pass_on(self, step: Step, event: dict[str, Any]) -> None:
        receive = self.workshop.receive
        if event.get("event") == "progress":
            receive(StepProgress(step.name, str(event["label"]), float(event["done"]), float(event["total"])))
        elif event.get("event") == "note":
            receive(StepNote(step.name, str(event["text"])))

"""Check that everything a catalog refers to exists: environments, samples, steps and files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import NoReturn

from envguard.catalog.dependencies import check_dependencies
from envguard.catalog.model import Catalog, CommandStep, Environment, Step, Task
from envguard.payload.door import references as door
from envguard.payload.door.references import SAMPLE, SOURCES, TASK, Reference
from envguard.table_reader import NAME, did_you_mean, inside, text

RUN_FILES = ("document",)
PLACEHOLDER = re.compile(r"\{([a-z]+)\.([^{}]*)\}")

Refuse = Callable[[str, str], NoReturn]


def reference_of(value: object) -> Reference:
    """Read a reference; raises ValueError with what it must be."""
    try:
        return Reference.parse(text(value))
    except ValueError as error:
        raise ValueError("must be a reference such as task:input, sample:NAME or STEP:NAME") from error


def refuse_shadows(own: Catalog, base: Catalog, refuse: Refuse) -> None:
    """Refuse a project that redefines a built-in name."""
    for kind in ("environments", "tasks", "samples"):
        taken = getattr(base, kind).keys() & getattr(own, kind).keys()
        if taken:
            refuse(f"{kind}.{min(taken)}", "is the name of a built-in one; choose another name")


def check_references(own: Catalog, catalog: Catalog, refuse: Refuse) -> None:
    """Refuse references of `own` to what is not in `catalog`, or to steps that come later."""
    for environment in own.environments.values():
        _check_environment(environment, catalog, refuse)
    for sample in own.samples.values():
        if sample.environment not in catalog.environments:
            refuse(f"samples.{sample.name}", _unknown_environment(sample.environment, catalog))
    for task in own.tasks.values():
        _check_task(task, catalog, refuse)
    check_dependencies(own, catalog, refuse)


def _check_environment(environment: Environment, catalog: Catalog, refuse: Refuse) -> None:
    where = f"environments.{environment.name}"
    for reference in environment.check_inputs.values():
        sample = catalog.samples.get(reference.name) if reference.source == SAMPLE else None
        if sample is None or sample.environment == environment.name:
            refuse(where, f"is checked with '{reference}', which is not a sample of another environment")
    names = ["site-packages", *environment.check_inputs]
    _check_placeholders(environment.check_command, {"input": names}, where, refuse)


def _check_task(task: Task, catalog: Catalog, refuse: Refuse) -> None:
    before: dict[str, Step] = {}
    for step in task.declared:
        where = f"tasks.{task.name}, step {step.name},"
        if step.name in SOURCES:
            refuse(where, f"needs another name: {', '.join(SOURCES)} are reserved")
        if step.name in before:
            refuse(where, "needs another name: an earlier step has the same one")
        if step.environment not in catalog.environments:
            refuse(where, _unknown_environment(step.environment, catalog))
        for reference in step.inputs.values():
            _check_reference(reference, before, catalog, where, refuse)
        _check_step_inputs(step, task, where, refuse)
        if isinstance(step, CommandStep):
            names = {"input": list(step.inputs), "output": list(step.outputs)}
            _check_placeholders(step.command, names, where, refuse)
            _refuse_clash(step.outputs, where, refuse)
        before[step.name] = step
    for what, references in (("output", task.outputs), ("report", task.reports)):
        for reference in references.values():
            if reference.source not in before or before[reference.source].on_request:
                refuse(f"tasks.{task.name}", f"has the {what} '{reference}', which no step makes in every run")
            _check_reference(reference, before, catalog, f"tasks.{task.name}", refuse)
    main = catalog.environments[task.declared[0].environment]
    for name in task.matrix_editions:
        if main.edition(name) is None:
            near = did_you_mean(name, [each.name for each in main.editions])
            refuse(f"tasks.{task.name}: matrix", f"names the edition {name!r}, which {main.name!r} does not have{near}")
    made = {name: _file_name(reference, before) for name, reference in task.outputs.items()}
    _refuse_clash({name: file for name, file in made.items() if file}, f"tasks.{task.name}", refuse)


def _check_step_inputs(step: Step, task: Task, where: str, refuse: Refuse) -> None:
    """What a report is made of comes after the verdict, so no output and no other step may need it."""
    makers = {reference.source for reference in task.reports.values()}
    if step.name in makers & {reference.source for reference in task.outputs.values()}:
        refuse(where, "makes an output and a report; let another step make the report")
    on_request = {each.name: each for each in task.declared if each.on_request}
    for reference in step.inputs.values():
        if reference.optional and isinstance(step, CommandStep):
            refuse(where, f"has the optional input '{reference}', which a command cannot do without")
        maker = on_request.get(reference.source)
        if maker is not None and not (reference.optional or step.on_request):
            refuse(where, f"needs '{reference}', which is only there on request; make it optional: '{reference}?'")
        if step.name not in makers and (reference.source == door.RUN or reference.source in makers):
            refuse(where, f"refers to '{reference}', which is there only after the verdict, for reports")


def _check_reference(
    reference: Reference, before: Mapping[str, Step], catalog: Catalog, where: str, refuse: Refuse
) -> None:
    if _is_fine(reference, before.get(reference.source), catalog):
        return
    made = ((name, step.outputs) for name, step in before.items() if isinstance(step, CommandStep))
    known = [f"{name}:{file}" for name, files in made for file in files]
    known += [f"{SAMPLE}:{name}" for name in catalog.samples]
    problem = "which no earlier step makes" if reference.step else "which does not exist"
    refuse(where, f"refers to '{reference}', {problem}{did_you_mean(str(reference), known)}")


def _is_fine(reference: Reference, maker: Step | None, catalog: Catalog) -> bool:
    """Whether there is such a file, as far as the catalog says; `maker` is the earlier step of that name."""
    match reference.source:
        case door.FILE:
            return _is_inside(reference.name)
        case door.SAMPLE:
            return reference.name in catalog.samples
        case door.RUN:
            return reference.name in RUN_FILES
    if isinstance(maker, CommandStep):
        return reference.name in maker.outputs
    # Only a payload step itself knows which files it makes.
    return (reference.source == TASK or maker is not None) and NAME.fullmatch(reference.name) is not None


def _check_placeholders(command: tuple[str, ...], names: Mapping[str, list[str]], where: str, refuse: Refuse) -> None:
    for part in command:
        for kind, name in PLACEHOLDER.findall(part):
            if name not in names.get(kind, ()):
                known = [f"{each}.{known}" for each in names for known in names[each]]
                refuse(where, f"has {{{kind}.{name}}} in its command{did_you_mean(f'{kind}.{name}', known)}")


def _refuse_clash(files: Mapping[str, str], where: str, refuse: Refuse) -> None:
    """Two outputs must not be the same file on any file system."""
    file, times = (
        Counter(name.rstrip("/").casefold() for name in files.values()).most_common(1)[0] if files else ("", 0)
    )
    if times > 1:
        refuse(where, f"has {times} outputs with the same name, {file!r}")


def _file_name(reference: Reference, steps: Mapping[str, Step]) -> str:
    """The name of the file that a reference stands for, as far as the catalog says."""
    step = steps[reference.source]
    return PurePosixPath(step.outputs[reference.name]).name if isinstance(step, CommandStep) else ""


def _unknown_environment(name: str, catalog: Catalog) -> str:
    return f"names the unknown environment {name!r}{did_you_mean(name, list(catalog.environments))}"


def _is_inside(path: str) -> bool:
    try:
        inside(path)
    except ValueError:
        return False
    return True

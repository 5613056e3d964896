"""Do the names in a catalog fit together? Environments, samples, steps and files that something refers to exist."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import NoReturn

from envguard.catalog.model import Catalog, CommandStep, Environment, PayloadStep, Step, Task
from envguard.table_reader import NAME, did_you_mean, inside

# What a reference or a step's name cannot be, because references to them are of another kind.
KINDS = ("task", "sample", "file")
PLACEHOLDER = re.compile(r"\{([a-z]+)\.([^{}]*)\}")

Refuse = Callable[[str, str], NoReturn]


def refuse_shadows(own: Catalog, base: Catalog, refuse: Refuse) -> None:
    """Refuse a project that gives a built-in name another meaning."""
    for kind in ("environments", "tasks", "samples"):
        taken = getattr(base, kind).keys() & getattr(own, kind).keys()
        if taken:
            refuse(f"{kind}.{min(taken)}", "is the name of a built-in one; give it another")


def check_references(own: Catalog, catalog: Catalog, refuse: Refuse) -> None:
    """Everything that `own` refers to exists in `catalog`, and steps refer only backwards."""
    for environment in own.environments.values():
        _check_environment(environment, catalog, refuse)
    for sample in own.samples.values():
        if sample.environment not in catalog.environments:
            refuse(f"samples.{sample.name}", _unknown_environment(sample.environment, catalog))
    for task in own.tasks.values():
        _check_task(task, catalog, refuse)


def _check_environment(environment: Environment, catalog: Catalog, refuse: Refuse) -> None:
    where = f"environments.{environment.name}"
    for reference in environment.check_inputs.values():
        kind, _, name = reference.partition(":")
        sample = catalog.samples.get(name) if kind == "sample" else None
        if sample is None or sample.environment == environment.name:
            refuse(where, f"is checked with {reference!r}, no sample elsewhere")
    names = ["site-packages", *environment.check_inputs]
    _check_placeholders(environment.check_command, {"input": names}, where, refuse)


def _check_task(task: Task, catalog: Catalog, refuse: Refuse) -> None:
    before: dict[str, Step] = {}
    for step in task.steps:
        where = f"tasks.{task.name}, step {step.name},"
        if step.name in KINDS or step.name in before:
            refuse(where, "needs another name" + ("" if step.name in KINDS else ": there is one before it"))
        if step.environment not in catalog.environments:
            refuse(where, _unknown_environment(step.environment, catalog))
        for reference in step.inputs.values():
            _check_reference(reference, before, catalog, where, refuse)
        if isinstance(step, CommandStep):
            names = {"input": list(step.inputs), "output": list(step.outputs)}
            _check_placeholders(step.command, names, where, refuse)
            _refuse_clash(step.outputs, where, refuse)
        before[step.name] = step
    for reference in task.outputs.values():
        if reference.partition(":")[0] not in before:
            refuse(f"tasks.{task.name}", f"has the output {reference!r} of no step")
        _check_reference(reference, before, catalog, f"tasks.{task.name}", refuse)
    made = {name: _file_name(reference, before) for name, reference in task.outputs.items()}
    _refuse_clash({name: file for name, file in made.items() if file}, f"tasks.{task.name}", refuse)


def _check_reference(reference: str, before: Mapping[str, Step], catalog: Catalog, where: str, refuse: Refuse) -> None:
    kind, colon, target = reference.partition(":")
    maker = before.get(kind)
    if kind == "task" or isinstance(maker, PayloadStep):  # which files a payload step makes, only it knows
        fine = NAME.fullmatch(target) is not None
    elif kind == "file":
        fine = _is_inside(target)
    elif kind == "sample":
        fine = target in catalog.samples
    else:
        fine = isinstance(maker, CommandStep) and target in maker.outputs
    if not fine:
        made = ((name, step.outputs) for name, step in before.items() if isinstance(step, CommandStep))
        known = [f"{name}:{file}" for name, files in made for file in files]
        known += [f"sample:{name}" for name in catalog.samples]
        problem = "which does not come before it" if colon and kind not in KINDS else "which is not there"
        refuse(where, f"refers to {reference!r}, {problem}{did_you_mean(reference, known)}")


def _check_placeholders(command: tuple[str, ...], names: Mapping[str, list[str]], where: str, refuse: Refuse) -> None:
    for part in command:
        for kind, name in PLACEHOLDER.findall(part):
            if name not in names.get(kind, ()):
                known = [f"{each}.{known}" for each in names for known in names[each]]
                refuse(where, f"has {{{kind}.{name}}} in its command{did_you_mean(f'{kind}.{name}', known)}")


def _refuse_clash(files: Mapping[str, str], where: str, refuse: Refuse) -> None:
    """Two outputs must not be one file, on no file system."""
    file, times = Counter(name.casefold() for name in files.values()).most_common(1)[0] if files else ("", 0)
    if times > 1:
        refuse(where, f"has {times} outputs of one name, {file!r}")


def _file_name(reference: str, steps: Mapping[str, Step]) -> str:
    """The name of the file that a reference stands for, as far as the catalog says."""
    kind, _, target = reference.partition(":")
    step = steps[kind]
    return PurePosixPath(step.outputs[target]).name if isinstance(step, CommandStep) else ""


def _unknown_environment(name: str, catalog: Catalog) -> str:
    return f"names the unknown environment {name!r}{did_you_mean(name, list(catalog.environments))}"


def _is_inside(path: str) -> bool:
    try:
        inside(path)
    except ValueError:
        return False
    return True

"""What somebody who starts to work here needs: each environment made ready, or why it cannot be; and what is next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from envguard.catalog.model import Catalog, Task
from envguard.errors import EnvguardError, Interrupted, NoEnvironment
from envguard.running.pipeline import environments_of
from envguard.running.preparing import Prepared, Workshop
from envguard.running.recorded import recorded_locks

FIRST_TASK = "quantize"


@dataclass(frozen=True, slots=True)
class SetUp:
    """One environment that was asked for: `prepared`, or the `error` that says why it is not there."""

    name: str
    prepared: Prepared | None = None
    error: EnvguardError | None = None


def needed_here(catalog: Catalog) -> list[str]:
    """The environments that work here needs: the project's own and those of its tasks.

    Where there is no project, or one without either, those of the first built-in task.
    """
    names = [each.name for each in catalog.environments.values() if catalog.project and each.folder == catalog.project]
    for task in own_tasks(catalog):
        names += environments_of(task, catalog)
    return list(dict.fromkeys(names)) or environments_of(catalog.tasks[FIRST_TASK], catalog)


def own_tasks(catalog: Catalog) -> list[Task]:
    """The project's tasks, in its order; none without a project."""
    return [each for each in catalog.tasks.values() if catalog.project and each.folder == catalog.project]


def set_up(names: Sequence[str], workshop: Workshop) -> list[SetUp]:
    """Make each environment ready, built and proved now if it was not there; one that fails stops none of the rest."""
    return [_set_up(name, workshop) for name in names]


def _set_up(name: str, workshop: Workshop) -> SetUp:
    try:
        _refuse_unlocked(name, workshop.catalog)
        return SetUp(name, workshop.prepare(name))
    except Interrupted:
        raise
    except EnvguardError as error:
        return SetUp(name, error=error)


def _refuse_unlocked(name: str, catalog: Catalog) -> None:
    """Say what a new project's author has yet to do, instead of naming every Python that there is no lock for."""
    environment = catalog.environments.get(name)
    if environment is not None and not recorded_locks(environment):
        raise NoEnvironment(
            f"The environment {name!r} has no lock yet.",
            why=f"there is none in {environment.lockfiles / name}",
            next_step=f"Make it with `envguard lock {name}`, commit it, and run the same command again.",
        )


def next_command(catalog: Catalog, names: Sequence[str], models: Sequence[str]) -> list[str]:
    """The arguments of the command to type next; a word in capitals stands for what the user has to name.

    `models` are the names of the model files in the current folder, best first.
    """
    own = own_tasks(catalog)
    if own:
        task = own[0]
        single = len(task.inputs) == 1
        inputs = ["INPUT"] if single else [word for name in task.inputs for word in ("--input", f"{name}=PATH")]
        return ["run", task.name, *inputs, "-o", "OUT"]
    if any(catalog.project and catalog.environments[name].folder == catalog.project for name in names):
        return ["shell", names[0]]
    return ["run", FIRST_TASK, models[0] if models else "sample:face_landmarker"]

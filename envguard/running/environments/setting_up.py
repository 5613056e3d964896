"""Make ready each environment that work in a project needs, or say why that fails, and suggest the next command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from envguard.backends.table import backend_class
from envguard.catalog.model import Catalog, Task
from envguard.errors import EnvguardError, Interrupted, NotAllowed
from envguard.host.linker import absent
from envguard.running.environments.prepared import Prepared
from envguard.running.environments.preparing import Workshop


@dataclass(frozen=True, slots=True)
class SetUp:
    """One environment that was requested: `prepared`, or the `error` that says why it is not ready.

    `lacking` are the Debian packages that this host could have for a part of its work, which `purpose` says.
    """

    name: str
    prepared: Prepared | None = None
    error: EnvguardError | None = None
    lacking: tuple[str, ...] = ()
    purpose: str = ""


def needed_here(catalog: Catalog) -> list[str]:
    """The environments that work here needs: the project's own and those of its tasks.

    Without a project, or in one that has neither, those of the first built-in task.
    """
    names = [each.name for each in catalog.environments.values() if catalog.project and each.folder == catalog.project]
    for task in own_tasks(catalog):
        names += catalog.environments_of(task)
    return list(dict.fromkeys(names)) or catalog.environments_of(next(iter(catalog.tasks.values())))


def own_tasks(catalog: Catalog) -> list[Task]:
    """The project's tasks, in its order; none without a project."""
    return [each for each in catalog.tasks.values() if catalog.project and each.folder == catalog.project]


def set_up(names: Sequence[str], workshop: Workshop) -> list[SetUp]:
    """Make each environment ready, built and proved if necessary; a failure does not stop the others.

    Raises NotAllowed if nothing else stands in the way.
    """
    found = [_set_up(name, workshop) for name in names]
    errors = [each.error for each in found if each.error is not None]
    if errors and all(isinstance(each, NotAllowed) for each in errors):
        raise errors[0]
    return found


def _set_up(name: str, workshop: Workshop) -> SetUp:
    try:
        return _with_lacking(SetUp(name, workshop.prepare(name)))
    except Interrupted:
        raise
    except EnvguardError as error:
        return SetUp(name, error=error)


def _with_lacking(found: SetUp) -> SetUp:
    """The same with what is missing of optional libraries; what runs elsewhere does not have this host's."""
    assert found.prepared is not None
    chosen = found.prepared.candidate
    optional = chosen.edition.optional_libraries
    if backend_class(chosen.backend).elsewhere or not sys.platform.startswith("linux"):
        return found
    return replace(found, lacking=absent(optional.packages), purpose=optional.purpose)


def next_command(catalog: Catalog, names: Sequence[str], models: Sequence[str]) -> list[str]:
    """The arguments of the command to run next; a word in capitals is a placeholder.

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
    first, sample = next(iter(catalog.tasks)), next(iter(catalog.samples))
    return ["run", first, models[0] if models else f"sample:{sample}"]
